using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>Whose masked updates the server has.</summary>
/// <param name="Roster">The roster's digest.</param>
/// <param name="Sites">Places, in order.</param>
internal sealed record SurvivorList(byte[] Roster, ImmutableArray<byte> Sites)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out SurvivorList message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.SurvivorList);
        var roster = reader.Bytes(KeySchedule.KeyBytes);
        var sites = ImmutableArray.CreateBuilder<byte>();
        for (var left = reader.Count(SumContext.MostSites); left > 0 && reader.Sound; left--)
        {
            var site = reader.Byte();
            reader.Ascending(sites.Count == 0 ? -1 : sites[^1], site);
            sites.Add(site);
        }

        message = new SurvivorList(roster, sites.ToImmutable());
        return reader.Complete;
    }

    public byte[] ToBytes() =>
        new MessageWriter(MessageKind.SurvivorList).Bytes(Roster).Count(Sites.Length).Bytes(Sites.AsSpan()).ToBytes();
}

/// <summary>
/// What a site was told of a round: roster, who dealt shares, who survived. A site signs it and unmasks only when enough others signed the
/// same (Bonawitz et al. 2017, round 3).
/// </summary>
internal static class SumView
{
    private static readonly byte[] SignedText = "fedseg secure sum 1 view"u8.ToArray();

    /// <summary>The digest that is signed. The roster's digest holds the context's.</summary>
    public static byte[] Digest(byte[] roster, IEnumerable<byte> dealers, IEnumerable<byte> survivors)
    {
        byte[] dealt = [.. dealers], survived = [.. survivors];
        return SHA256.HashData([.. SignedText, .. roster, (byte)dealt.Length, .. dealt, (byte)survived.Length, .. survived]);
    }
}

/// <summary>A site's signature over its view.</summary>
internal sealed record Confirmation(byte[] View, byte[] Signature)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Confirmation message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.Confirmation);
        message = new Confirmation(reader.Bytes(KeySchedule.KeyBytes), reader.Bytes(Advertisement.SignatureBytes));
        return reader.Complete;
    }

    public byte[] ToBytes() => new MessageWriter(MessageKind.Confirmation).Bytes(View).Bytes(Signature).ToBytes();
}

/// <summary>The confirmations the server has.</summary>
internal sealed record ConfirmationList(ImmutableArray<(byte Site, byte[] Signature)> Entries)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ConfirmationList message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.ConfirmationList);
        var entries = ImmutableArray.CreateBuilder<(byte Site, byte[] Signature)>();
        for (var left = reader.Count(SumContext.MostSites); left > 0 && reader.Sound; left--)
        {
            var entry = (Site: reader.Byte(), Signature: reader.Bytes(Advertisement.SignatureBytes));
            reader.Ascending(entries.Count == 0 ? -1 : entries[^1].Site, entry.Site);
            entries.Add(entry);
        }

        message = new ConfirmationList(entries.ToImmutable());
        return reader.Complete;
    }

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(MessageKind.ConfirmationList).Count(Entries.Length);
        foreach (var (site, signature) in Entries) writer.Byte(site).Bytes(signature);
        return writer.ToBytes();
    }
}

using System.Collections.Immutable;
using System.Security.Cryptography;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>Every advertisement of a round, in site order.</summary>
internal sealed record Roster(ImmutableArray<Advertisement> Sites)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Roster message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.Roster);
        var sites = ImmutableArray.CreateBuilder<Advertisement>();
        for (var left = reader.Count(SumContext.MostSites); left > 0; left--)
        {
            reader.Require(Advertisement.TryParse(reader.Counted(Advertisement.MostBytes), out var site));
            if (!reader.Sound) break;
            reader.Require(sites.Count == 0 || sites[^1].Site < site.Site);
            sites.Add(site);
        }

        message = new Roster(sites.ToImmutable());
        return reader.Complete;
    }

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(MessageKind.Roster).Count(Sites.Length);
        foreach (var site in Sites) writer.Counted(site.ToBytes());
        return writer.ToBytes();
    }

    /// <summary>SHA-256 over context and roster.</summary>
    public byte[] Digest(SumContext context) => SHA256.HashData([.. context.Digest(), .. ToBytes()]);
}

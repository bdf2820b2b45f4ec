using System.Collections.Immutable;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>
/// What a site gives out of the shares it holds: of a survivor its seed's, of a site that dropped out its mask key's, of none both.
/// </summary>
/// <param name="View">What the site believes of the round.</param>
/// <param name="Shares">One for each site that dealt, in order.</param>
internal sealed record Disclosure(byte[] View, ImmutableArray<DisclosedShare> Shares)
{
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Disclosure message)
    {
        var reader = new MessageReader(bytes);
        reader.Kind(MessageKind.Disclosure);
        var view = reader.Bytes(KeySchedule.KeyBytes);
        var shares = ImmutableArray.CreateBuilder<DisclosedShare>();
        for (var left = reader.Count(SumContext.MostSites); left > 0 && reader.Sound; left--)
        {
            var share = new DisclosedShare(reader.Byte(), (ShareKind)reader.Byte(), reader.Bytes(SealedShare.ShareBytes));
            reader.Ascending(shares.Count == 0 ? -1 : shares[^1].Dealer, share.Dealer);
            reader.Require(share.Kind is ShareKind.SelfMask or ShareKind.MaskKey);
            shares.Add(share);
        }

        message = new Disclosure(view, shares.ToImmutable());
        return reader.Complete;
    }

    public byte[] ToBytes()
    {
        var writer = new MessageWriter(MessageKind.Disclosure).Bytes(View).Count(Shares.Length);
        foreach (var share in Shares) writer.Byte(share.Dealer).Byte((byte)share.Kind).Bytes(share.Share);
        return writer.ToBytes();
    }
}

/// <summary>One disclosed share.</summary>
/// <param name="Dealer">The place of the site whose secret it is a share of.</param>
/// <param name="Kind">Which secret.</param>
/// <param name="Share">The share.</param>
internal sealed record DisclosedShare(byte Dealer, ShareKind Kind, byte[] Share);

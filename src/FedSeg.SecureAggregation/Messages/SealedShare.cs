using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.SecureAggregation.Keys;

namespace FedSeg.SecureAggregation.Messages;

/// <summary>What a share is a share of.</summary>
internal enum ShareKind : byte
{
    /// <summary>The seed of a survivor's own mask; b in the paper.</summary>
    SelfMask = 0,

    /// <summary>The private key of a dropped site's pairwise masks; s in the paper.</summary>
    MaskKey = 1,
}

/// <summary>
/// Both shares that one site deals to another, encrypted for it, and a commitment to each, by which the server later tells a false share.
/// </summary>
/// <param name="Site">The place of the other party: the holder in an offer, the dealer in a delivery.</param>
/// <param name="Ciphertext">AES-256-GCM over share of the mask key ‖ share of the seed, tag last.</param>
/// <param name="MaskKeyCommitment">SHA-256, see <see cref="Commit"/>.</param>
/// <param name="SelfMaskCommitment">Likewise.</param>
internal sealed record SealedShare(byte Site, byte[] Ciphertext, byte[] MaskKeyCommitment, byte[] SelfMaskCommitment)
{
    public const int ShareBytes = KeySchedule.KeyBytes, TagBytes = 16, CiphertextBytes = 2 * ShareBytes + TagBytes, CommitmentBytes = 32;

    public byte[] CommitmentOf(ShareKind kind) => kind == ShareKind.MaskKey ? MaskKeyCommitment : SelfMaskCommitment;

    /// <summary>A share is as hard to guess as a key, so its hash tells nothing of it.</summary>
    public static byte[] Commit(byte[] roster, int dealer, int holder, ShareKind kind, ReadOnlySpan<byte> share) =>
        SHA256.HashData([.. "share"u8, .. roster, (byte)dealer, (byte)holder, (byte)kind, .. share]);

    public static ImmutableArray<SealedShare> Read(ref MessageReader reader)
    {
        var shares = ImmutableArray.CreateBuilder<SealedShare>();
        for (var left = reader.Count(SumContext.MostSites); left > 0 && reader.Sound; left--)
        {
            var share = new SealedShare(
                reader.Byte(), reader.Bytes(CiphertextBytes), reader.Bytes(CommitmentBytes), reader.Bytes(CommitmentBytes));
            reader.Ascending(shares.Count == 0 ? -1 : shares[^1].Site, share.Site);
            shares.Add(share);
        }

        return shares.ToImmutable();
    }

    public static void Write(MessageWriter writer, ImmutableArray<SealedShare> shares)
    {
        writer.Count(shares.Length);
        foreach (var share in shares)
        {
            writer.Byte(share.Site).Bytes(share.Ciphertext).Bytes(share.MaskKeyCommitment).Bytes(share.SelfMaskCommitment);
        }
    }
}

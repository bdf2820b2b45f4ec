using System.Security.Cryptography;

namespace FedSeg.SecureAggregation.Keys;

/// <summary>
/// The keys of one round: HKDF-SHA256 (RFC 5869) with the context's digest as salt and, as info, purpose, roster and the two sites' places.
/// A key has one purpose, one direction and one round.
/// </summary>
/// <param name="context">The context's digest.</param>
/// <param name="roster">The roster's digest.</param>
internal sealed class KeySchedule(byte[] context, byte[] roster)
{
    public const int KeyBytes = 32;

    /// <summary>Encrypts what <paramref name="dealer"/> deals to <paramref name="holder"/>.</summary>
    public byte[] ShareKey(ReadOnlySpan<byte> secret, int dealer, int holder) => Derive(secret, "share"u8, dealer, holder);

    /// <summary>The mask of a pair of sites, the same for both.</summary>
    public byte[] PairMaskKey(ReadOnlySpan<byte> secret, int site, int other) =>
        Derive(secret, "pair"u8, Math.Min(site, other), Math.Max(site, other));

    /// <summary>The mask of a site alone.</summary>
    public byte[] SelfMaskKey(ReadOnlySpan<byte> seed, int site) => Derive(seed, "self"u8, site, site);

    private byte[] Derive(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> purpose, int first, int second)
    {
        var key = new byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, context, [.. purpose, .. roster, (byte)first, (byte)second]);
        return key;
    }
}

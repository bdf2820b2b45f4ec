using System.Security.Cryptography;
using FedSeg.SecureAggregation.Keys;
using FedSeg.SecureAggregation.Messages;

namespace FedSeg.SecureAggregation.Sites;

/// <summary>
/// Encrypts the shares one site deals to another. Roster, parties and commitments are authenticated with them; the key is for one message
/// only, so the nonce is 0.
/// </summary>
internal static class ShareBox
{
    private static readonly byte[] Nonce = new byte[12];

    /// <param name="keys">The round's key schedule.</param>
    /// <param name="secret">What dealer and holder agreed on.</param>
    /// <param name="roster">The roster's digest.</param>
    /// <param name="dealer">The dealer's place.</param>
    /// <param name="holder">The holder's place.</param>
    /// <param name="shares">What is dealt.</param>
    /// <returns>The share named by its holder.</returns>
    public static SealedShare Seal(KeySchedule keys, byte[] secret, byte[] roster, int dealer, int holder, SharePair shares)
    {
        var sealedShare = new SealedShare(
            (byte)holder,
            new byte[SealedShare.CiphertextBytes],
            SealedShare.Commit(roster, dealer, holder, ShareKind.MaskKey, shares.MaskKey),
            SealedShare.Commit(roster, dealer, holder, ShareKind.SelfMask, shares.SelfMask));
        var key = keys.ShareKey(secret, dealer, holder);
        byte[] plain = [.. shares.MaskKey, .. shares.SelfMask];
        using var cipher = new AesGcm(key, SealedShare.TagBytes);
        cipher.Encrypt(
            Nonce,
            plain,
            sealedShare.Ciphertext.AsSpan(..^SealedShare.TagBytes),
            sealedShare.Ciphertext.AsSpan(^SealedShare.TagBytes..),
            Authenticated(roster, dealer, holder, sealedShare));
        CryptographicOperations.ZeroMemory(plain);
        CryptographicOperations.ZeroMemory(key);
        return sealedShare;
    }

    /// <summary>Opens what was dealt to this site.</summary>
    /// <returns>The shares, or why they are refused.</returns>
    public static (SharePair? Shares, AbortReason Reason) Open(
        KeySchedule keys, byte[] secret, byte[] roster, int dealer, int holder, SealedShare sealedShare)
    {
        var key = keys.ShareKey(secret, dealer, holder);
        var plain = new byte[2 * SealedShare.ShareBytes];
        try
        {
            using var cipher = new AesGcm(key, SealedShare.TagBytes);
            cipher.Decrypt(
                Nonce,
                sealedShare.Ciphertext.AsSpan(..^SealedShare.TagBytes),
                sealedShare.Ciphertext.AsSpan(^SealedShare.TagBytes..),
                plain,
                Authenticated(roster, dealer, holder, sealedShare));
        }
        catch (AuthenticationTagMismatchException)
        {
            return (null, AbortReason.ShareRefused);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }

        var shares = new SharePair(plain[..SealedShare.ShareBytes], plain[SealedShare.ShareBytes..]);
        CryptographicOperations.ZeroMemory(plain);
        if (shares.Matches(roster, dealer, holder, sealedShare)) return (shares, default);
        shares.Clear();
        return (null, AbortReason.FalseShare);
    }

    private static byte[] Authenticated(byte[] roster, int dealer, int holder, SealedShare share) =>
        [.. roster, (byte)dealer, (byte)holder, .. share.MaskKeyCommitment, .. share.SelfMaskCommitment];
}

/// <summary>A site's shares of another site's two secrets. It gives out one of them, once.</summary>
internal sealed record SharePair(byte[] MaskKey, byte[] SelfMask)
{
    public byte[] Of(ShareKind kind) => kind == ShareKind.MaskKey ? MaskKey : SelfMask;

    public bool Matches(byte[] roster, int dealer, int holder, SealedShare commitments) =>
        CryptographicOperations.FixedTimeEquals(
            SealedShare.Commit(roster, dealer, holder, ShareKind.MaskKey, MaskKey), commitments.MaskKeyCommitment)
        && CryptographicOperations.FixedTimeEquals(
            SealedShare.Commit(roster, dealer, holder, ShareKind.SelfMask, SelfMask), commitments.SelfMaskCommitment);

    public void Clear()
    {
        CryptographicOperations.ZeroMemory(MaskKey);
        CryptographicOperations.ZeroMemory(SelfMask);
    }
}

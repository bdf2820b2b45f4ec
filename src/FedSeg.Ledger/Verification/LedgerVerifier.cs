using System.Security.Cryptography;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Verification;

/// <summary>
/// Checks every byte of a log at rest: entries, leaf hashes, every signed checkpoint and the key file. Without a key of one's own the folder's key is believed, which
/// finds damage but not a log rewritten from the start under another key.
/// </summary>
public static class LedgerVerifier
{
    /// <param name="directory">The log's folder.</param>
    /// <param name="publicKey">The key the log is known to be signed with, obtained elsewhere.</param>
    public static LedgerVerification Verify(string directory, ECDsa? publicKey = null)
    {
        var folder = new LedgerFolder(directory);
        using var ownKey = folder.ReadKey();
        if (ownKey is null) return Failed(0, MerkleHash.EmptyRoot, new LedgerProblem(0, "the public key 'key.pem' is missing or damaged"));
        if (publicKey is not null && !LedgerFolder.Encode(publicKey).AsSpan().SequenceEqual(LedgerFolder.Encode(ownKey)))
        {
            return Failed(0, MerkleHash.EmptyRoot, new LedgerProblem(0, "the log is signed with another key than the one it was checked against"));
        }

        var scan = LedgerScan.Run(folder, ownKey);
        var (size, root) = scan.Last is { } last ? (last.Checkpoint.Size, last.Checkpoint.Root) : (0, MerkleHash.EmptyRoot);
        if (scan.Problem is { } problem) return Failed(size, root, problem);
        if (scan.Interrupted is not null)
        {
            return Failed(size, root, new LedgerProblem(size, "an append was interrupted, or the last checkpoint was cut off; the agent repairs and notes it when it starts"));
        }

        return new LedgerVerification(size, root, Verified: true, FirstBadIndex: null, Problem: null);
    }

    private static LedgerVerification Failed(long entries, MerkleHash root, LedgerProblem problem) => new(entries, root, false, problem.Index, problem.Text);
}

/// <summary>The outcome of checking a log.</summary>
/// <param name="Entries">Entries up to the last checkpoint that fits.</param>
/// <param name="RootHash">Root of those entries.</param>
/// <param name="Verified">Whether every byte is as it was signed.</param>
/// <param name="FirstBadIndex">The first entry that can't be trusted; the number of entries when the damage lies behind the last.</param>
/// <param name="Problem">What does not fit, in words.</param>
public sealed record LedgerVerification(long Entries, MerkleHash RootHash, bool Verified, long? FirstBadIndex, string? Problem);

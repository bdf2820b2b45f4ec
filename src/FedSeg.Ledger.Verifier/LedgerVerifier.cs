using FedSeg.Ledger.Verifier.Folders;
using FedSeg.Ledger.Verifier.Notes;
using FedSeg.Ledger.Verifier.Proofs;
using FedSeg.Ledger.Verifier.Tree;

namespace FedSeg.Ledger.Verifier;

/// <summary>
/// Checks a ledger from its bytes alone. This project shares no code with the one that writes ledgers, so a mistake in one of them shows in the other.
/// </summary>
public static class LedgerVerifier
{
    /// <summary>Between a commit's entries on the disk and the checkpoint that signs them; a busy disk takes its time.</summary>
    private static readonly TimeSpan LongestCommit = TimeSpan.FromSeconds(5);

    /// <summary>Checks a ledger's folder. The writer may be at work; what it has not finished is not looked at twice.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="key">
    /// The key the log is known to be signed with. Without one the folder's own is believed, which finds damage but not a log rewritten from the start.
    /// </param>
    /// <param name="witnessedPath">
    /// A witness's file of this log's checkpoints that it cosigned. Against it a log that was rolled back or rewritten with its own key is found out.
    /// </param>
    /// <exception cref="FormatException">The witness's file holds something else.</exception>
    public static Verdict VerifyFolder(string directory, VerifierKey? key = null, string? witnessedPath = null)
    {
        const int attempts = 5;
        var witnessed = witnessedPath is null ? [] : ReadWitnessed(witnessedPath);
        for (var attempt = 1; ; attempt++)
        {
            var before = LengthOf(directory);
            using var verification = new FolderVerification(directory, witnessed);
            var verdict = verification.Run(key);
            if (verdict.Verified || attempt == attempts) return verdict;
            // A writer at work may outrun one pass, or be in the middle of a commit; a log at rest gives the same answer every time.
            var isCommitting = verdict.FirstBadIndex == verdict.Entries && IsBeingWritten(directory);
            if (!SpinWait.SpinUntil(() => LengthOf(directory) != before, isCommitting ? LongestCommit : TimeSpan.Zero)) return verdict;
        }
    }

    /// <summary>Checks an exported proof: that the entry is in the log whose checkpoint stands in the file, and that the log signed it.</summary>
    /// <param name="bytes">The proof file.</param>
    /// <param name="key">The log's key.</param>
    /// <param name="witness">A witness's key; its cosignature is then required.</param>
    /// <param name="entry">The entry, for a proof that does not carry it.</param>
    public static Verdict VerifyProof(ReadOnlySpan<byte> bytes, VerifierKey key, VerifierKey? witness = null, ReadOnlySpan<byte> entry = default)
    {
        if (ProofFile.Parse(bytes) is not { } proof) return new Verdict(0, Convert.ToHexStringLower(TreeHash.Empty), 0, "this is not a proof as c2sp.org/tlog-proof@v1 has it");

        var (size, root) = (proof.State.Size, Convert.ToHexStringLower(proof.State.Root));
        Verdict No(string problem) => new(size, root, proof.Index, problem);
        if (proof.Note.Signatures[0].Name != proof.State.Origin || !key.Signed(proof.Note.Signatures[0], proof.Note.Text)) return No("the checkpoint is not signed by this key");
        if (proof.Entry is not null && !entry.IsEmpty && !entry.SequenceEqual(proof.Entry)) return No("the proof is about another entry");
        if (proof.Entry is null && entry.IsEmpty) return No("the proof does not carry its entry, and none was given");

        var leaf = TreeHash.Leaf(entry.IsEmpty ? proof.Entry : entry);
        if (InclusionPath.Root(leaf, proof.Index, size, proof.Path) is not { } reached || !reached.AsSpan().SequenceEqual(proof.State.Root)) return No("the path does not lead from the entry to the signed root");

        var cosigned = witness is not null && proof.Note.Signatures.Skip(1).Any(line => witness.Cosigned(line, proof.Note.Text));
        return witness is not null && !cosigned ? No("the checkpoint is not cosigned by this witness") : new Verdict(size, root, null, null, cosigned ? size : 0);
    }

    private static List<LogState> ReadWitnessed(string path)
    {
        var states = new List<LogState>();
        using var notes = new NoteReader(path);
        while (notes.Next() is { } note)
        {
            states.Add(SignedNote.Parse(note) is { } signed && LogState.Parse(signed.Text) is { } state ? state : throw new FormatException($"'{path}' holds something that is no checkpoint."));
        }

        if (states.Count == 0 || notes.Torn) throw new FormatException($"'{path}' is not a witness's file of checkpoints.");
        return states;
    }

    /// <summary>Whether a writer has the log open: it holds the lock alone.</summary>
    private static bool IsBeingWritten(string directory)
    {
        var path = Path.Combine(directory, "lock");
        if (!File.Exists(path)) return false;
        try
        {
            using var held = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static long LengthOf(string directory)
    {
        var checkpoints = new FileInfo(Path.Combine(directory, "checkpoints"));
        var cosigned = new FileInfo(Path.Combine(directory, "cosigned"));
        return (checkpoints.Exists ? checkpoints.Length : 0) + (cosigned.Exists ? cosigned.Length : 0);
    }
}

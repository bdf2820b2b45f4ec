namespace FedSeg.Ledger.Storage;

/// <summary>The ledger on disk is not what its signed checkpoints vouch for. Nothing may be appended to it, so nothing may leave the site.</summary>
public sealed class LedgerCorruptException(string directory, long firstBadIndex, string problem)
    : Exception($"The ledger in {directory} is broken at entry {firstBadIndex}: {problem}. Keep the folder as evidence and restore it from a backup.")
{
    /// <summary>The first entry that can't be trusted; the log's size when something follows the last one.</summary>
    public long FirstBadIndex { get; } = firstBadIndex;

    /// <summary>What does not fit, in words.</summary>
    public string Problem { get; } = problem;
}

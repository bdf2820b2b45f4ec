using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Witnessing;

/// <summary>What a peer's last cosigned checkpoint says about one's own log.</summary>
public static class OwnPast
{
    /// <summary>Whether the log still begins with what it signed once; the first index that can't be trusted when it does not.</summary>
    /// <param name="log">The log as it stands.</param>
    /// <param name="cosigned">A checkpoint that this log's key signed.</param>
    /// <returns><see langword="null"/> when the past is whole.</returns>
    public static long? FirstLost(LedgerReader log, SignedCheckpoint cosigned)
    {
        var (_, size, root) = cosigned.Checkpoint;
        if (size > log.Count) return log.Count;
        return log.RootAt(size) == root ? null : 0;
    }
}

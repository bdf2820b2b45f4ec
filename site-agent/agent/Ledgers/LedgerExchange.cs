using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using FedSeg.SiteAgent.Coordinator;
using Microsoft.Extensions.Logging;

namespace FedSeg.SiteAgent.Ledgers;

/// <summary>
/// Mutual cosigning: this site cosigns the coordinator's ledger and has its own cosigned, so that neither can rewrite its past alone. A ledger of this site that was rolled
/// back is found out by this site's own signature on what the coordinator kept, and takes no further entry: nothing leaves until it is restored.
/// </summary>
internal sealed partial class LedgerExchange(LedgerPeer peer, LedgerWriter ledger, Witness witness, ILogger<LedgerExchange> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>Does one exchange in both directions.</summary>
    /// <returns>Whether each ledger continues what the other party cosigned before.</returns>
    /// <exception cref="ConnectionLostException">The connection could not be made or broke; nothing is proven either way.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            // The coordinator's first: its key is needed to check its cosignature.
            return await CosignPeerAsync(cancellationToken) && await HaveOwnCosignedAsync(cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<bool> CosignPeerAsync(CancellationToken cancellationToken)
    {
        var oldSize = witness.Last(LedgerNames.Coordinator)?.Checkpoint.Size ?? 0;
        if (await peer.FetchCheckpointAsync(oldSize, cancellationToken) is not var (publicKey, note, proof))
        {
            LogPeerRewritten("it is shorter than what was cosigned");
            return false;
        }

        if (witness.Cosign(LedgerNames.Coordinator, publicKey, note, oldSize, proof) is not WitnessOutcome.Cosigned)
        {
            LogPeerRewritten("it does not continue what was cosigned");
            return false;
        }

        await peer.GiveCosignedAsync(ledger.PublicKey, witness.Last(LedgerNames.Coordinator)!, cancellationToken);
        return true;
    }

    private async Task<bool> HaveOwnCosignedAsync(CancellationToken cancellationToken)
    {
        var log = LedgerReader.Open(ledger.Directory);
        var oldSize = Math.Min(log.Cosigned?.Checkpoint.Size ?? 0, log.Count);
        // A second time from where the coordinator stands: a cosignature may have been lost on the way.
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            switch (await peer.AskToCosignAsync(ledger.PublicKey, log, oldSize, cancellationToken))
            {
                case WitnessOutcome.Cosigned { Cosignature: var cosignature }:
                    using (var key = witness.KeyOf(LedgerNames.Coordinator)) ledger.KeepCosigned(log.Checkpoint.With(cosignature), key);
                    return true;
                case WitnessOutcome.SizeMismatch { Last: { } last } when ledger.HasSigned(last):
                    if (OwnPast.FirstLost(log, last) is { } lost) return Lose(lost, last.Checkpoint.Size);
                    oldSize = last.Checkpoint.Size;
                    break;
                case WitnessOutcome.SizeMismatch { Last: null }:
                    oldSize = 0;
                    break;
                case WitnessOutcome.Refused { Reason: var reason }:
                    LogNotCosigned(reason.ToString());
                    return false;
                default:
                    LogNotCosigned("it answered with what this site never signed");
                    return false;
            }
        }

        LogNotCosigned("it names another size each time");
        return false;
    }

    private bool Lose(long firstLost, long cosigned)
    {
        ledger.Halt(firstLost, $"the coordinator cosigned {cosigned} entries of it, so it was rolled back or rewritten");
        LogRolledBack(ledger.Directory, cosigned, firstLost);
        return false;
    }

    [LoggerMessage(440, LogLevel.Critical, "The ledger in {Directory} was rolled back or rewritten: the coordinator cosigned {Cosigned} entries that this site signed, and from entry {FirstLost} on they are not there. Nothing leaves until the folder is restored from the newest backup")]
    private partial void LogRolledBack(string directory, long cosigned, long firstLost);

    [LoggerMessage(441, LogLevel.Error, "The coordinator's ledger was rewritten: {Problem}. This site takes no assignments until the coordinator's operator restores it")]
    private partial void LogPeerRewritten(string problem);

    [LoggerMessage(442, LogLevel.Error, "The coordinator does not cosign this site's ledger: {Reason}. Compare the two with 'fedseg ledger verify --witnessed'")]
    private partial void LogNotCosigned(string reason);
}

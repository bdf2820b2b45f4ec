using FedSeg.Coordinator.Models;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// Drops the raw updates of rounds that are old enough, what strategies remembered for them, and the messages of blind exchanges that unmask them. Their digests, sizes and signatures stay in journal and ledger, and every
/// model stays: what can no longer be done is to make an old model again from its updates.
/// </summary>
internal sealed partial class UpdateRetention(RunBook book, BlobStore blobs, IOptions<CoordinatorOptions> options, ILogger<UpdateRetention> logger) : BackgroundService
{
    private readonly Dictionary<RunId, int> _droppedThrough = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (options.Value.KeepUpdateRounds > 0 && !stoppingToken.IsCancellationRequested)
        {
            var change = book.NextChange;
            DropWhatIsOld();
            await change.WaitAsync(stoppingToken);
        }
    }

    /// <summary>Drops what has become old since it was last called.</summary>
    internal void DropWhatIsOld()
    {
        var runs = book.Runs;
        var old = runs.SelectMany(run => Old(run).Skip(_droppedThrough.GetValueOrDefault(run.Id)).Select(round => (run.Id, Round: round))).ToList();
        if (old.Count == 0) return;

        // Equal bytes are one blob, whoever sent them.
        var needed = runs.SelectMany(Needed).ToHashSet();
        foreach (var run in old.GroupBy(entry => entry.Id, entry => entry.Round))
        {
            try
            {
                foreach (var round in run) Drop(run.Key, round, needed);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // One run's, and no other's business.
                LogNotDropped(run.Key, error.Message);
            }
        }
    }

    private void Drop(RunId run, RoundState round, HashSet<Sha256Digest> needed)
    {
        foreach (var blob in Droppable(round).Where(blob => !needed.Contains(blob))) blobs.Delete(blob);
        blobs.ExchangeOf(round.Plan).Delete();
        _droppedThrough[run] = round.Plan.Round;
        LogDropped(round.Accepted.Count, run, round.Plan.Round);
    }

    /// <summary>All rounds but the last ones, which are kept, and the one before an open round, whose state that one starts from.</summary>
    private IEnumerable<RoundState> Old(RunState run) => run.Rounds.SkipLast(options.Value.KeepUpdateRounds + (run.OpenRound is null ? 0 : 1));

    private IEnumerable<Sha256Digest> Needed(RunState run)
    {
        var kept = run.Rounds.Skip(Old(run).Count());
        return run.Rounds.Select(round => round.Plan.BaseModel).Append(run.Model.Sha256).Concat(kept.SelectMany(Droppable));
    }

    private static IEnumerable<Sha256Digest> Droppable(RoundState round) =>
        round.Accepted.Values.Select(update => update.Weights).Concat(round.ServerState.Values).OfType<ModelRef>().Select(blob => blob.Sha256);

    [LoggerMessage(130, LogLevel.Information, "Dropped {Updates} updates of {Run} round {Round}; their hashes stay")]
    private partial void LogDropped(int updates, RunId run, int round);

    [LoggerMessage(131, LogLevel.Warning, "Could not drop old updates of {Run}: {Problem}. They go after the next change of a run")]
    private partial void LogNotDropped(RunId run, string problem);
}

using System.Collections.Immutable;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// The story of a run: open a round, collect answers until every site has answered or the deadline passes, average, publish, and again.
/// Every step is an event in the journal, and every step starts from the journal, so a run that was cut off anywhere goes on from there.
/// </summary>
internal sealed partial class RoundRunner(RunBook book, BlobStore blobs, CoordinatorLedger ledger, TimeProvider time, ILogger<RoundRunner> logger)
{
    private static readonly TimeSpan StorageRetry = TimeSpan.FromSeconds(15);

    /// <summary>Carries a run to its end.</summary>
    public async Task RunAsync(RunId run, CancellationToken cancellationToken)
    {
        while (book.Find(run) is { End: null } state)
        {
            try
            {
                // What the last step made is in the ledger before the next one builds on it.
                await ledger.NoteAsync(state);
                if (state.IsDone) End(run, RunOutcome.Completed, "All rounds are done.");
                else if (state.OpenRound is null) Open(run);
                else await CollectAndCloseAsync(state, state.OpenRound, cancellationToken);
            }
            catch (IOException error)
            {
                // A full disk loses nothing: the round stays open and its updates stay stored until there is room.
                LogStorageFailed(run, error.Message, StorageRetry.TotalSeconds);
                await Task.Delay(StorageRetry, time, cancellationToken);
            }
        }

        blobs.DropIncoming(run.ToString());
    }

    private void Open(RunId run)
    {
        var state = book.Decide(run, state => state is { End: null, OpenRound: null }
            ? new RunEvent.RoundOpened { At = time.GetUtcNow(), Round = state.NextRound, BaseModel = state.Model }
            : null);
        if (state.OpenRound is { } round) LogOpened(run, round.Plan.Round, round.Plan.Task);
    }

    private async Task CollectAndCloseAsync(RunState state, RoundState round, CancellationToken cancellationToken)
    {
        var verdict = await CollectAsync(state, round.Plan.Round, cancellationToken);
        var collected = book.Find(state.Id)!.OpenRound;
        if (collected is null) return;
        if (verdict == RoundVerdict.QuorumLost)
        {
            End(state.Id, RunOutcome.Failed, DescribeLostQuorum(state, collected));
            return;
        }

        Close(state, collected, cancellationToken);
    }

    /// <summary>Waits until the round is judged. A restart gives the round its whole deadline again: late beats lost.</summary>
    private async Task<RoundVerdict> CollectAsync(RunState state, int number, CancellationToken cancellationToken)
    {
        using var judged = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var deadline = Task.Delay(TimeSpan.FromMinutes(state.Job.RoundDeadlineMinutes), time, judged.Token);
        try
        {
            return await JudgeAsync(state, number, deadline, cancellationToken);
        }
        finally
        {
            // A closed round's timer must not outlive it.
            await judged.CancelAsync();
        }
    }

    private async Task<RoundVerdict> JudgeAsync(RunState state, int number, Task deadline, CancellationToken cancellationToken)
    {
        while (true)
        {
            var change = book.NextChange;
            var round = book.Find(state.Id)?.OpenRound;
            if (round?.Plan.Round != number) return RoundVerdict.Close;
            var verdict = round.Judge(state.Job.Sites, state.Job.Quorum, deadline.IsCompletedSuccessfully);
            if (verdict != RoundVerdict.Wait) return verdict;
            await Task.WhenAny(change, deadline);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Close(RunState state, RoundState round, CancellationToken cancellationToken)
    {
        var plan = round.Plan;
        var closed = new RunEvent.RoundClosed { At = time.GetUtcNow(), Round = plan.Round, Model = null };
        try
        {
            if (plan.Task == RoundTask.Train) closed = Aggregate(state, round, closed, cancellationToken);
        }
        catch (AggregationException error)
        {
            End(state.Id, RunOutcome.Failed, $"Round {plan.Round} could not be merged: {error.Message.TrimEnd('.')}.");
            return;
        }

        book.Decide(state.Id, now => now.OpenRound?.Plan.Round == plan.Round ? closed with { At = time.GetUtcNow() } : null);
        blobs.DropIncoming(UpdateIntake.IncomingFolder(plan.Run, plan.Round));
        LogClosed(state.Id, plan.Round, round.Accepted.Count, state.Job.Sites.Length, (time.GetUtcNow() - round.OpenedAt).TotalSeconds);
    }

    private RunEvent.RoundClosed Aggregate(
        RunState state, RoundState round, RunEvent.RoundClosed closed, CancellationToken cancellationToken)
    {
        var plan = round.Plan;
        var started = time.GetTimestamp();
        string Incoming(string part) => blobs.IncomingPath("aggregate", $"{plan.Run}-{plan.Round}-{part}");
        var merged = RoundAggregation.Run(blobs, state, round, Incoming, cancellationToken);
        var model = Adopt(merged.Model);
        LogAggregated(plan.Run, plan.Round, round.Accepted.Count, model.Sha256.Abbreviated, time.GetElapsedTime(started).TotalMilliseconds);
        return closed with
        {
            Model = model,
            ServerState = merged.State.ToImmutableSortedDictionary(part => part.Key, part => Adopt(part.Value)),
            Norms = merged.Norms,
        };
    }

    private ModelRef Adopt(MergedFile file) => blobs.Adopt(file.Path, file.Sha256);

    private void End(RunId run, RunOutcome outcome, string reason)
    {
        var ended = new RunEvent.Ended { At = time.GetUtcNow(), Outcome = outcome, Reason = reason };
        book.Decide(run, state => state.End is null ? ended : null);
        LogEnded(run, outcome, reason);
    }

    private static string DescribeLostQuorum(RunState state, RoundState round)
    {
        var dropped = round.Dropped.Select(entry => $"{entry.Key}: {entry.Value}");
        var silent = state.Job.Sites.Where(site => !round.Answered(site)).Select(site => $"{site}: no answer by the deadline");
        var reasons = string.Join("; ", dropped.Concat(silent));
        return $"Round {round.Plan.Round} had {round.Accepted.Count} of the {state.Job.Quorum} updates it needs ({reasons}).";
    }

    [LoggerMessage(110, LogLevel.Information, "Opened round {Round} of {Run} to {Task}")]
    private partial void LogOpened(RunId run, int round, RoundTask task);

    [LoggerMessage(111, LogLevel.Information, "Averaged {Updates} updates of {Run} round {Round} into model {Model} in {Milliseconds:F0} ms")]
    private partial void LogAggregated(RunId run, int round, int updates, string model, double milliseconds);

    [LoggerMessage(112, LogLevel.Information, "Closed round {Round} of {Run} with {Answers} of {Sites} sites after {Seconds:F1} s")]
    private partial void LogClosed(RunId run, int round, int answers, int sites, double seconds);

    [LoggerMessage(113, LogLevel.Information, "Ended {Run}: {Outcome}. {Reason}")]
    private partial void LogEnded(RunId run, RunOutcome outcome, string reason);

    [LoggerMessage(114, LogLevel.Error, "Could not store a result of {Run}: {Problem} Free space in the data folder; trying again in {Seconds} s")]
    private partial void LogStorageFailed(RunId run, string problem, double seconds);
}

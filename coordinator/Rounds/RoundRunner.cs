using System.Collections.Immutable;
using FedSeg.Coordinator.Blind;
using FedSeg.Coordinator.Jobs;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Storage;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// The story of a run: open a round, collect answers until every site has answered or the deadline passes, merge, publish, and again. <see cref="RunProtocol"/> tells
/// what is next; here it is done. Every step starts from the journal, so a run that was cut off anywhere goes on from there.
/// </summary>
internal sealed partial class RoundRunner(
    RunBook book,
    BlobStore blobs,
    BlindRounds blind,
    CoordinatorLedger ledger,
    SiteDirectory sites,
    SiteTurnBook turns,
    StudyCharters charters,
    CoordinatorTelemetry telemetry,
    Failpoints failpoints,
    TimeProvider time,
    ILogger<RoundRunner> logger) : IDisposable
{
    private const int MaximumFaults = 5;
    private static readonly TimeSpan FaultRetry = TimeSpan.FromSeconds(5);

    /// <summary>How often a disk that fails is tried again within a round, a quarter of a minute apart: storage behind a network comes back, a bad sector does not.</summary>
    private const int MaximumDiskFaults = 40;

    /// <summary>How long whatever a disk refused is left alone before it is tried again.</summary>
    internal static readonly TimeSpan StorageRetry = TimeSpan.FromSeconds(15);

    // One merge at a time: the memory of one, and a merge that ends the process is alone to blame for it.
    private readonly SemaphoreSlim _merging = new(1);

    /// <summary>Carries a run to its end.</summary>
    public async Task RunAsync(RunId run, CancellationToken cancellationToken)
    {
        // A restart gives the round its whole deadline again: late beats lost.
        var clock = new RoundClock(time);
        var (faults, faultyRound, putOff) = (0, 0, 0);
        var (diskFaults, diskFaultRound) = (0, 0);
        RunInput? next = new RunInput.Resumed();
        while (next is not null)
        {
            try
            {
                next = await StepAsync(run, next, clock, putOff, cancellationToken);
            }
            catch (IOException error) when (error is not (EndOfStreamException or FileNotFoundException or DirectoryNotFoundException))
            {
                // A full disk loses nothing: the round stays open and its updates stay stored until there is room.
                LogStorageFailed(run, error.Message, StorageRetry.TotalSeconds);
                if (DiskFault.IsOfTheMedium(error) && book.Find(run)!.End is null)
                {
                    var round = book.Find(run)!.Rounds.Length;
                    (diskFaults, diskFaultRound) = (round == diskFaultRound ? diskFaults + 1 : 1, round);
                    if (diskFaults == MaximumDiskFaults)
                    {
                        next = new RunInput.Broke("The coordinator's disk fails where something of it is stored; its log says more.");
                        continue;
                    }
                }

                putOff = book.Find(run)!.OpenRound is { MergeAttempts: > 0, Plan.Round: var merged } ? merged : 0;
                await Task.Delay(StorageRetry, time, cancellationToken);
                next = new RunInput.Resumed();
            }
            catch (Exception error) when (error is not OperationCanceledException && next is not RunInput.Broke)
            {
                // No run is lost by one bad moment, none may stay running for ever, and none may take the others with it.
                LogBroke(run, error);
                var round = book.Find(run)!.Rounds.Length;
                (faults, faultyRound) = (round == faultyRound ? faults + 1 : 1, round);
                if (faults < MaximumFaults)
                {
                    await Task.Delay(FaultRetry, time, cancellationToken);
                    next = new RunInput.Resumed();
                    continue;
                }

                next = new RunInput.Broke($"The coordinator could not go on with it ({error.GetType().Name}); its log says more.");
            }
        }
    }

    public void Dispose() => _merging.Dispose();

    /// <summary>Tells the run one thing and does what follows.</summary>
    /// <returns>What to tell it next; <see langword="null"/> when it is over.</returns>
    private async Task<RunInput?> StepAsync(RunId run, RunInput input, RoundClock clock, int putOff, CancellationToken cancellationToken)
    {
        // Taken before the run is looked at, so that no change falls between.
        var change = book.NextChange;
        RunInput? next = null;
        // What follows goes by the state that asked for it: the run may be another one already, or over.
        var (state, effects) = book.Step(run, input, time.GetUtcNow());
        clock.See(state);
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case RunEffect.Note:
                    await ledger.NoteAsync(state);
                    break;
                case RunEffect.Await wait:
                    await clock.WaitAsync(wait, change, cancellationToken);
                    break;
                case RunEffect.AwaitMergeTurn { Round: var round }:
                    next = await UnmaskAsync(round.Plan, cancellationToken) ?? await TakeMergeTurnAsync(round.Plan, clock, putOff, cancellationToken);
                    break;
                case RunEffect.Merge { Round: var round }:
                    next = Merge(state, round, cancellationToken);
                    break;
                case RunEffect.PlanNetwork { Round: var round }:
                    next = Plan(state, round);
                    break;
                case RunEffect.DropUploads { Round: var number }:
                    blobs.DropIncoming(UpdateIntake.IncomingFolder(run, number));
                    break;
                case RunEffect.Finish:
                    blobs.DropIncoming(run.ToString());
                    return null;
            }
        }

        return next ?? new RunInput.Continued { OpenFor = clock.OpenFor, Attending = sites.AtHand, HeldUp = turns.HeldUp(book.Find(run)!) };
    }

    private async Task<RunInput?> TakeMergeTurnAsync(RoundPlan plan, RoundClock clock, int putOff, CancellationToken cancellationToken)
    {
        await _merging.WaitAsync(cancellationToken);
        try
        {
            return await StepAsync(plan.Run, new RunInput.MergeTurn(plan.Round, putOff == plan.Round), clock, putOff, cancellationToken);
        }
        finally
        {
            _merging.Release();
        }
    }

    /// <summary>Sees to it that a blind round's updates can be merged.</summary>
    /// <returns>What to tell the run instead of merging: that it broke, or that its round is another one now.</returns>
    private async Task<RunInput?> UnmaskAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Blind is null) return null;
        // Who is not in the sum by now must be out of the round before the survivors are named.
        if (blind.DropSilent(plan)) return new RunInput.Continued();
        return await blind.UnmaskAsync(
            plan, cancellationToken) is { } problem ? new RunInput.Broke($"Round {plan.Round} could not be merged: {problem}.") : null;
    }

    /// <summary>From the sites' fingerprints to the run's plan and first model; the model is on the disk when this returns.</summary>
    private RunInput Plan(RunState state, RoundState round)
    {
        try
        {
            var plan = RunPlanning.Of(state.Job.Planning!, round.Fingerprints);
            var job = state.Job.With(plan);
            if (charters.Problems(job) is { Count: > 0 } problems) return new RunInput.Broke($"The planned network can't be trained: {string.Join("; ", problems)}.");
            return new RunInput.Planned { Round = round, Plan = plan, InitialModel = GlobalModel.CreateInitial(blobs, state.Id, job) };
        }
        catch (Exception error) when (error is FingerprintException or PlanningException)
        {
            return new RunInput.Broke($"No network could be planned from {round.Accepted.Count} fingerprints: {error.Message.TrimEnd('.')}.");
        }
    }

    private RunInput Merge(RunState state, RoundState round, CancellationToken cancellationToken)
    {
        var plan = round.Plan;
        var started = time.GetTimestamp();
        using var span = telemetry.Begin("merge", plan.Run, plan.Round);
        string Incoming(string part) => blobs.IncomingPath("aggregate", $"{plan.Run}-{plan.Round}-{part}");
        try
        {
            using var mean = UnmaskedMean.Of(blobs, round);
            var merged = failpoints.Around(
                RoundSteps.Aggregate, () => RoundAggregation.Run(blobs.PathOf, state, round, Incoming, mean, cancellationToken));
            var model = failpoints.Around(RoundSteps.Persist, () => Adopt(merged.Model));
            telemetry.Merged(time.GetElapsedTime(started));
            LogAggregated(plan.Run, plan.Round, round.Accepted.Count, model.Sha256.Abbreviated, time.GetElapsedTime(started).TotalMilliseconds);
            return new RunInput.Merged
            {
                Round = round,
                Model = model,
                ServerState = merged.State.ToImmutableSortedDictionary(part => part.Key, part => Adopt(part.Value)),
                Norms = merged.Norms,
            };
        }
        catch (AggregationException error)
        {
            return new RunInput.Broke($"Round {plan.Round} could not be merged: {error.Message.TrimEnd('.')}.");
        }
    }

    private ModelRef Adopt(MergedFile file) => blobs.Adopt(file.Path, file.Sha256);

    [LoggerMessage(111, LogLevel.Information, "Averaged {Updates} updates of {Run} round {Round} into model {Model} in {Milliseconds:F0} ms")]
    private partial void LogAggregated(RunId run, int round, int updates, string model, double milliseconds);

    [LoggerMessage(115, LogLevel.Error, "Could not go on with {Run}")]
    private partial void LogBroke(RunId run, Exception error);

    [LoggerMessage(114, LogLevel.Error, "Could not store a result of {Run}: {Problem} Free space in the data folder; trying again in {Seconds} s")]
    private partial void LogStorageFailed(RunId run, string problem, double seconds);
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Simulation;

/// <summary>
/// What must hold whatever happens, checked from outside: against what lies on the disks and what was said on the lines, not against what the protocols believe. I5, the
/// coordinator's memory, has no meaning without bytes; <c>fedseg bench round</c> measures it, and <c>RoundBenchmarkTests</c> holds it.
/// </summary>
internal sealed class Invariants(Simulation simulation)
{
    /// <summary>What a round may take beyond its deadline and grace: merging, merging again with late updates, and a moment for each step.</summary>
    private const long Grace = 40_000;

    private readonly Dictionary<(RunId Run, int Round, SiteId Site), Sha256Digest> _acknowledged = [];
    private readonly Dictionary<(RunId Run, int Round), ModelRef?> _committed = [];
    private readonly Dictionary<RunId, Sha256Digest> _frozen = [];
    private readonly Dictionary<RunId, long> _resumedAt = [];
    private readonly Dictionary<(RunId Run, int Round, SiteId Site), long> _elsewhere = [];
    private readonly List<(RunId Run, int Round, SiteId Site)> _busy = [];
    private long _checkedAt;

    /// <summary>I1: the coordinator is about to acknowledge an update.</summary>
    public void Acknowledged(SimulatedCoordinator coordinator, SiteReport report, Sha256Digest digest)
    {
        var entries = Accepted(coordinator, report.Run, report.Round, report.Site).ToList();
        if (entries is not [var entry] || entry.Digest != digest) Break("I1", $"{report.Site} is told that {digest.Abbreviated} counts, and the journal on the disk has {entries.Count} entries of it");
        else CheckWeights(coordinator, entry);
        if (!coordinator.Ledger.Log.Take(coordinator.Ledger.DurableRecords).Contains(digest.ToString())) Break("I1", $"{digest.Abbreviated} is acknowledged and not in the ledger");
        _acknowledged[(report.Run, report.Round, report.Site)] = digest;
    }

    /// <summary>The coordinator entered something in its journal.</summary>
    public void Entered(SimulatedCoordinator coordinator, RunId run, RunEvent entered)
    {
        switch (entered)
        {
            case RunEvent.UpdateAccepted accepted:
                var count = Accepted(coordinator, run, accepted.Report.Round, accepted.Report.Site).Count();
                if (count != 1) Break("I1", $"{accepted.Report.Site} counts {count} times in round {accepted.Report.Round}");
                break;
            case RunEvent.PlanFrozen frozen:
                Freeze(coordinator, run, frozen);
                break;
            case RunEvent.Unpaused:
                _resumedAt[run] = simulation.Now;
                foreach (var key in _elsewhere.Keys.Where(key => key.Run == run).ToList()) _elsewhere.Remove(key);
                break;
            case RunEvent.Ended { Outcome: RunOutcome.Failed } ended when ended.Reason.Contains("no answer by the deadline", StringComparison.Ordinal):
                CheckPatience(coordinator.Runs[run], coordinator.Runs[run].AllRounds.Last(), job => job.RoundDeadlineMinutes + job.GraceMinutes);
                break;
            case RunEvent.RoundClosed closed:
                Commit(coordinator, run, closed);
                CheckPatience(coordinator.Runs[run], coordinator.Runs[run].AllRounds.Last(), job => Math.Min(job.RoundDeadlineMinutes, RoundRules.AbsencePatience.TotalMinutes));
                break;
        }
    }

    /// <summary>I1 and I2 after a restart: the coordinator read its journal.</summary>
    public void Recovered(SimulatedCoordinator coordinator)
    {
        foreach (var ((run, number, site), digest) in _acknowledged)
        {
            var round = coordinator.Runs.GetValueOrDefault(run)?.AllRounds.FirstOrDefault(round => round.Plan.Round == number);
            if (round is null || !round.Accepted.TryGetValue(site, out var accepted) || accepted.Digest != digest)
            {
                Break("I1", $"the acknowledged update {digest.Abbreviated} of {site} to round {number} of {run} is gone after a restart");
            }
            else
            {
                CheckWeights(coordinator, accepted);
            }
        }

        foreach (var ((run, number), model) in _committed)
        {
            if (coordinator.Runs[run].Rounds[number - 1].Model != model) Break("I2", $"the model of round {number} of {run} is another one after a restart");
        }

        foreach (var (run, plan) in _frozen)
        {
            if (coordinator.Runs[run].Plan?.Sha256 != plan) Break("I2", $"the plan of {run} is another one after a restart");
        }

        _elsewhere.Clear();
        // A crash may have come just after an entry had reached the disk.
        foreach (var (run, state) in coordinator.Runs)
        {
            if (state.Plan is { } plan) _frozen.TryAdd(run, plan.Sha256);
            foreach (var round in state.Rounds.Where(round => round.ClosedAt is not null)) _committed.TryAdd((run, round.Plan.Round), round.Model);
        }
    }

    /// <summary>Merges a round's stored updates as they lie on the disk.</summary>
    public static Sha256Digest Merged(SimulatedCoordinator coordinator, RoundState round)
    {
        var updates = round.Accepted.Select(accepted => $"{accepted.Key} {coordinator.Disk.Read("blob " + accepted.Value.Weights!.Sha256)}");
        return Simulation.Digest(["model", round.Plan.BaseModel.ToString(), .. updates]);
    }

    /// <summary>I6: a site begins to train.</summary>
    public void Training(SimulatedSite site, RoundPlan plan)
    {
        if (!site.Approves) Break("I6", $"{site.Id} trains {plan.Run} round {plan.Round} and never approved it");
        if (plan.TrainingPlan is { } made && _frozen.GetValueOrDefault(plan.Run) != made) Break("I6", $"{site.Id} trains {plan.Run} by a plan that is not the frozen one");
        if (plan is { TrainingPlan: null, Task: not RoundTask.Fingerprint } && _frozen.ContainsKey(plan.Run)) Break("I6", $"{site.Id} trains {plan.Run} without its plan");
    }

    /// <summary>I3: a site is about to send an update.</summary>
    public void Leaving(SimulatedSite site, Sha256Digest digest)
    {
        if (!site.HasCleared(digest)) Break("I3", $"{site.Id} sends {digest.Abbreviated} and its ledger on the disk knows nothing of it");
    }

    /// <summary>I7, after every event: no round is open longer than it may.</summary>
    public void Check()
    {
        var passed = simulation.Now - _checkedAt;
        _checkedAt = simulation.Now;
        if (passed > 0) foreach (var key in _busy) _elsewhere[key] = _elsewhere.GetValueOrDefault(key) + passed;
        _busy.Clear();
        if (!simulation.Coordinator.IsUp) return;
        foreach (var (run, state) in simulation.Coordinator.Runs)
        {
            if (state is not { Pause: null, OpenRound: { } round }) continue;
            var elsewhere = 0L;
            foreach (var site in state.Job.Sites)
            {
                var key = (run, round.Plan.Round, site);
                if (!round.Answered(site) && !round.WaitingForPeople(site) && simulation.Coordinator.WorksElsewhere(site, run)) _busy.Add(key);
                elsewhere = Math.Max(elsewhere, _elsewhere.GetValueOrDefault(key));
            }

            var since = Math.Max(WaitedSince(state, round), simulation.DiskWasFullAt);
            var overdue = simulation.Now - since - elsewhere - (long)((state.Job.RoundDeadlineMinutes + state.Job.GraceMinutes) * 60_000);
            if (overdue > Grace) Break("I7", $"round {round.Plan.Round} of {run} is {overdue / 1000} s over its deadline");
        }
    }

    /// <summary>A restart gives the round its whole deadline again, and so does a pause.</summary>
    private long WaitedSince(RunState state, RoundState round) => Math.Max(
        (long)(round.OpenedAt - Simulation.Epoch).TotalMilliseconds,
        Math.Max(simulation.Coordinator.StartedAt, _resumedAt.GetValueOrDefault(state.Id)));

    /// <summary>I8: no round goes on or fails without a site that had not its whole time for it, because it worked for another run.</summary>
    private void CheckPatience(RunState state, RoundState round, Func<JobSpec, double> minutes)
    {
        if (round.Accepted.Count + state.Job.Sites.Count(site => !round.Answered(site)) < state.Job.Quorum) return;
        if (state.Job.RequiredSites.Any(round.Dropped.ContainsKey)) return;
        foreach (var site in state.Job.Sites.Where(site => !round.Answered(site) && !round.WaitingForPeople(site)))
        {
            var elsewhere = _elsewhere.GetValueOrDefault((state.Id, round.Plan.Round, site));
            var had = simulation.Now - WaitedSince(state, round) - elsewhere;
            if (had + 1_000 < minutes(state.Job) * 60_000) Break("I8", $"round {round.Plan.Round} of {state.Id} ends without {site}, which had {had / 1000} s for it and worked {elsewhere / 1000} s for others");
        }
    }

    public void Break(string invariant, string what) => throw new InvariantBrokenException(invariant, $"{invariant} at {simulation.Now / 1000.0:F3} s: {what}.");

    private void Commit(SimulatedCoordinator coordinator, RunId run, RunEvent.RoundClosed closed)
    {
        if (_committed.TryGetValue((run, closed.Round), out var before) && before != closed.Model) Break("I2", $"round {closed.Round} of {run} is committed again with another model");
        _committed[(run, closed.Round)] = closed.Model;
        var round = coordinator.Runs[run].Rounds[closed.Round - 1];
        foreach (var ((_, _, site), digest) in _acknowledged.Where(entry => entry.Key.Run == run && entry.Key.Round == closed.Round))
        {
            if (!round.Accepted.TryGetValue(site, out var accepted) || accepted.Digest != digest) Break("I1", $"the acknowledged update of {site} does not count in round {closed.Round}");
        }

        if (closed.Model is null) return;
        // From the journal and the blobs as a crash would leave them, as an auditor does it.
        var updates = round.Accepted.Keys.Select(site =>
        {
            var entry = Accepted(coordinator, run, closed.Round, site).Single();
            return $"{site} {coordinator.Disk.ReadDurable("blob " + entry.Weights!.Sha256)}";
        });
        var recomputed = Simulation.Digest(["model", round.Plan.BaseModel.ToString(), .. updates]);
        if (recomputed != closed.Model.Sha256) Break("I4", $"the model of round {closed.Round} of {run} is not what its stored updates give");
        if (coordinator.Disk.ReadDurable("blob " + recomputed) != recomputed.ToString()) Break("I2", $"the model of round {closed.Round} of {run} is not on the disk");
    }

    private void Freeze(SimulatedCoordinator coordinator, RunId run, RunEvent.PlanFrozen frozen)
    {
        if (!_frozen.TryAdd(run, frozen.Sha256)) Break("I2", $"the plan of {run} is frozen again");
        var round = coordinator.Runs[run].FingerprintRound!;
        var entries = round.Accepted.Keys.Select(site => Accepted(coordinator, run, 0, site).Single().Report.Fingerprint!);
        if (RunPlanning.Of(coordinator.Runs[run].Job.Planning!, [.. entries]).Digest() != frozen.Sha256) Break("I4", $"the plan of {run} is not what its fingerprints give");
        foreach (var ((_, _, site), digest) in _acknowledged.Where(entry => entry.Key.Run == run && entry.Key.Round == 0))
        {
            if (!round.Accepted.TryGetValue(site, out var accepted) || accepted.Digest != digest) Break("I1", $"the acknowledged fingerprint of {site} does not count");
        }

        if (coordinator.Disk.ReadDurable("blob " + frozen.InitialModel.Sha256) is null) Break("I2", $"the first model of {run} is not on the disk");
    }

    private void CheckWeights(SimulatedCoordinator coordinator, RunEvent.UpdateAccepted accepted)
    {
        if (accepted.Weights is not { } weights) return;
        var stored = coordinator.Disk.ReadDurable("blob " + weights.Sha256);
        if (stored != SimulatedCoordinator.Payload(accepted.Digest)) Break("I1", $"the weights of {accepted.Report.Site}'s acknowledged update {accepted.Digest.Abbreviated} are '{stored}' on the disk");
    }

    private static IEnumerable<RunEvent.UpdateAccepted> Accepted(SimulatedCoordinator coordinator, RunId run, int round, SiteId site) =>
        coordinator.Disk.Log.Take(coordinator.Disk.DurableRecords)
            .Where(entry => entry.Run == run)
            .Select(entry => entry.Event)
            .OfType<RunEvent.UpdateAccepted>()
            .Where(accepted => accepted.Report.Round == round && accepted.Report.Site == site);
}

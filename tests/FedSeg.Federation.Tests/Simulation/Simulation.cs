using System.Text;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Simulation;

/// <summary>
/// A whole federation in one thread and one seed: the real protocols of coordinator and sites, over machines that crash, disks that lose what was not flushed, and lines
/// that lose, repeat, reorder and delay. Time is a number and passes only from event to event, so hours cost milliseconds and a seed gives the same run on any machine.
/// </summary>
/// <param name="seed">Decides everything that chance decides.</param>
/// <param name="mutant">The protocols, whole or broken on purpose.</param>
/// <param name="trace">Gets a line for every step, for the replay of a seed that failed.</param>
internal sealed class Simulation
{
    /// <summary>When everything heals; every run ends within its deadlines after that.</summary>
    private const long HealAt = 12 * 60_000;

    private readonly PriorityQueue<Action, (long Time, long Order)> _events = new();
    private readonly List<SimulatedSite> _sites = [];
    private readonly List<(RunId Id, JobSpec Job)> _runs = [];
    private readonly HashSet<RunId> _poisoned = [];
    private readonly StringBuilder? _trace;
    private Faults _faults;
    private long _order, _patience;

    public Simulation(ulong seed, Mutant mutant, StringBuilder? trace = null)
    {
        Chance = new Chance(seed);
        Mutant = mutant;
        _trace = trace;
        _faults = Faults.Draw(Chance);
        Network = new SimulatedNetwork(this);
        Invariants = new Invariants(this);
        Coordinator = new SimulatedCoordinator(this);
        SetUp();
    }

    public static DateTimeOffset Epoch { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public Chance Chance { get; }

    public Mutant Mutant { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedCoordinator Coordinator { get; }

    public Invariants Invariants { get; }

    /// <summary>Virtual time, ms.</summary>
    public long Now { get; private set; }

    /// <summary>The last moment at which the coordinator could not write; nothing is overdue because of that.</summary>
    public long DiskWasFullAt { get; private set; } = long.MinValue;

    /// <summary>Runs until every run has ended and every site is free again.</summary>
    /// <returns>Rounds that were closed.</returns>
    /// <exception cref="InvariantBrokenException">The protocols broke a promise.</exception>
    public int Run()
    {
        while (!IsOver())
        {
            if (!_events.TryDequeue(out var next, out var at)) Invariants.Break("I7", "nothing is left to happen, and a run has not ended or a site is not free");
            Now = at.Time;
            if (Now > HealAt + _patience) Invariants.Break("I7", "everything is whole again, and a run has not ended or a site is not free");
            try
            {
                next!();
            }
            catch (MachineCrashedException)
            {
                // In the middle of what it did.
            }

            Invariants.Check();
        }

        return _runs.Sum(run => Coordinator.Runs[run.Id].Rounds.Count(round => round.ClosedAt is not null));
    }

    public void After(long delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    public bool Happens(Func<Faults, double> fault) => Chance.Happens(fault(_faults));

    /// <summary>Whether a merge of the run takes the coordinator down, each time.</summary>
    public bool IsPoisoned(RunId run) => _poisoned.Contains(run);

    /// <summary>A place where a crash would hurt.</summary>
    /// <param name="crash">Crashes the machine that stands there.</param>
    public void MaybeCrash(Action crash)
    {
        if (!Happens(faults => faults.CrashHere)) return;
        Crash(crash);
    }

    public static void Crash(Action crash)
    {
        crash();
        throw new MachineCrashedException();
    }

    public void Trace(string line) => _trace?.AppendLine($"{Now / 1000.0,9:F3} s  {line}");

    public static Sha256Digest Digest(params ReadOnlySpan<string> parts) => Sha256Digest.Of(Encoding.UTF8.GetBytes(string.Join('|', parts)));

    private bool IsOver() =>
        Coordinator.IsUp
        && Coordinator.Runs.Count == _runs.Count
        && Coordinator.Runs.Values.All(run => run.End is not null)
        && _sites.All(site => site.IsFree || site.IsDead);

    private void SetUp()
    {
        for (var index = 0; index < Chance.Between(2, 5); index++)
        {
            var site = new SimulatedSite(this, index) { Approves = !Happens(faults => faults.PlanNotApproved), IsDead = Chance.Happens(0.05) };
            _sites.Add(site);
            if (!site.IsDead) After(Chance.Between(0, 5_000), site.Start);
            if (site.IsDead) continue;
            Again(faults => faults.CrashEvery, site.Crash);
            Again(faults => faults.PartitionEvery, () => Network.Partition(site.Index));
            Again(faults => faults.FullDiskEvery, () => Fill(full => site.Disk.IsFull = full));
        }

        Coordinator.Start();
        for (var number = 1; number <= Chance.Between(1, 4); number++) Submit(RunId.Parse($"run-{number}"));
        Again(faults => faults.CrashEvery, Coordinator.Crash);
        Again(faults => faults.FullDiskEvery, () => Fill(full =>
        {
            Coordinator.Disk.IsFull = Coordinator.Ledger.IsFull = full;
            DiskWasFullAt = Now;
        }));
        After(HealAt, Heal);
    }

    private void Submit(RunId run)
    {
        var job = Plans.Job(rounds: Chance.Between(1, 4), quorum: Chance.Between(1, _sites.Count), [.. _sites.Select(site => site.Id)]) with
        {
            RoundDeadlineMinutes = Chance.Between(1, 3),
            GraceMinutes = Chance.Of(0, 0.5, 1),
            RequiredSites = [.. _sites.Where(_ => Chance.Happens(0.1)).Select(site => site.Id)],
            MinimumCasesPerRound = Chance.Of(0, 0, 20),
            Aggregation = StrategyCatalog.Default(2),
            Name = Chance.Happens(0.5) ? "shared" : run.ToString(),
            Priority = Chance.Of(JobPriority.Low, JobPriority.Normal, JobPriority.Normal, JobPriority.High),
        };
        if (Chance.Happens(0.3)) job = Plans.ToBePlanned(job);
        if (Happens(faults => faults.Poisoned)) _poisoned.Add(run);
        _runs.Add((run, job));
        _patience += (long)((job.Rounds + 3) * (job.RoundDeadlineMinutes + job.GraceMinutes + 1) * 60_000) + 180_000;
        var initial = new ModelRef(Digest("initial", run.ToString()), 1);
        var created = new RunEvent.Created { At = Epoch, Job = job, SubmittedBy = "ada", InitialModel = job.Planning is null ? initial : ModelRef.None };
        Coordinator.Disk.Write("blob " + initial.Sha256, initial.Sha256.ToString());
        Coordinator.Disk.Flush("blob " + initial.Sha256);
        Coordinator.Submit(run, created);
        if (Happens(faults => faults.Cancelled)) After(Chance.Between(1_000, 300_000), () => Coordinator.Order(run, new RunInput.Cancelled("ada"), state => state.End is not null));
        if (Happens(faults => faults.Paused))
        {
            var pause = Chance.Between(1_000, 200_000);
            var length = Chance.Between(60_000, 300_000);
            After(pause, () => Coordinator.Order(run, new RunInput.Paused("ada"), state =>
            {
                if (state.End is null && state.Pause is null) return false;
                // Only then, so that the end of the pause does not come before it.
                After(length, () => Coordinator.Order(run, new RunInput.Unpaused("ada"), later => later.End is not null || later.Pause is null));
                return true;
            }));
        }
    }

    private void Heal()
    {
        _faults = _faults.Healed();
        Coordinator.Disk.IsFull = Coordinator.Ledger.IsFull = false;
        foreach (var site in _sites)
        {
            site.Disk.IsFull = false;
            Network.Heal(site.Index);
        }
    }

    private void Fill(Action<bool> set)
    {
        set(true);
        After(Chance.Between(1_000, 60_000), () => set(false));
    }

    /// <summary>Lets something happen again and again until everything heals.</summary>
    private void Again(Func<Faults, double> mean, Action action)
    {
        var at = Now + Chance.Until(mean(_faults));
        if (at >= HealAt) return;
        After(at - Now, () =>
        {
            action();
            Again(mean, action);
        });
    }
}

/// <summary>Thrown out of the middle of what a machine did when it crashed.</summary>
internal sealed class MachineCrashedException : Exception;

/// <summary>A promise was broken.</summary>
internal sealed class InvariantBrokenException(string invariant, string message) : Exception(message)
{
    public string Invariant => invariant;
}

using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Scheduling;

namespace FedSeg.Federation.Tests.Simulation;

/// <summary>The coordinator's program over a faulty disk and network: run book, runner, intake and the sites' door, as in <c>FedSeg.Coordinator</c>.</summary>
internal sealed class SimulatedCoordinator(Simulation simulation)
{
    private readonly Dictionary<RunId, RunState> _runs = [];
    private readonly HashSet<string> _noted = [];
    private readonly Dictionary<RunId, (int? Round, long Since)> _clocks = [];
    private readonly HashSet<RunId> _sleeping = [];
    private readonly List<Attendance> _attending = [];
    private readonly Dictionary<SiteId, SiteTurns> _turns = [];
    private readonly Queue<(RunId Run, int Round)> _toMerge = [];
    private readonly HashSet<RunId> _putOff = [];
    private bool _isMerging;
    private int _incarnation, _uploads;

    public SimulatedDisk<(RunId Run, RunEvent Event)> Disk { get; } = new(simulation.Chance);

    /// <summary>The coordinator's ledger, on the same machine.</summary>
    public SimulatedDisk<string> Ledger { get; } = new(simulation.Chance);

    public bool IsUp { get; private set; }

    public long StartedAt { get; private set; }

    public IReadOnlyDictionary<RunId, RunState> Runs => _runs;

    public void Start()
    {
        IsUp = true;
        StartedAt = simulation.Now;
        foreach (var (run, entered) in Disk.Log) _runs[run] = RunState.Apply(_runs.GetValueOrDefault(run), run, entered);
        foreach (var note in Ledger.Log) _noted.Add(note);
        simulation.Invariants.Recovered(this);
        foreach (var run in _runs.Values.Where(run => run.End is null)) Resume(run.Id);
    }

    public void Submit(RunId run, RunEvent.Created created)
    {
        Disk.Append((run, created));
        Disk.FlushLog();
        _runs[run] = RunState.Apply(null, run, created);
        Resume(run);
    }

    /// <summary>A person tells the run something, and again until it shows.</summary>
    public void Order(RunId run, RunInput order, Func<RunState, bool> shows)
    {
        if (IsUp && shows(_runs[run])) return;
        simulation.After(1_000, () => Order(run, order, shows));
        if (IsUp) CarryOut(run, order, _ => { }, () => { }, onFullDisk: () => { });
    }

    public void Crash()
    {
        if (!IsUp) return;
        simulation.Trace("coordinator crashes");
        IsUp = false;
        _incarnation++;
        _runs.Clear();
        _noted.Clear();
        _clocks.Clear();
        _sleeping.Clear();
        _turns.Clear();
        _toMerge.Clear();
        _putOff.Clear();
        _isMerging = false;
        foreach (var attendance in _attending) attendance.Break();
        _attending.Clear();
        Disk.Crash();
        Ledger.Crash();
        simulation.After(simulation.Chance.Between(500, 20_000), Start);
    }

    /// <summary>Whether the site works for another run than this one, as far as the coordinator knows.</summary>
    public bool WorksElsewhere(SiteId site, RunId run) => _turns.GetValueOrDefault(site)?.InWork.Any(work => work.Run != run) == true;

    public void Attend(SimulatedSite site, int session, ImmutableArray<RunId> held, IEnumerable<(RunId Run, int Round)> inHand)
    {
        var attendance = new Attendance(site, session, held);
        _turns[site.Id] = TurnsOf(site.Id).Enter(inHand, Time);
        _attending.RemoveAll(other => other.Site == site);
        _attending.Add(attendance);
        Offer(attendance);
    }

    /// <summary>Gives a site the bytes of a model.</summary>
    public void Download(Sha256Digest model, Action<string> reply)
    {
        if (Disk.Read("blob " + model) is { } content) reply(content);
    }

    /// <summary>Takes an update in; the reply comes when it is judged, and not at all when the disk is full.</summary>
    public void Upload(SiteReport report, Sha256Digest digest, string payload, Action<UploadOutcome> reply)
    {
        if (!IsUp) return;
        var announced = new RunInput.Announced(report.Site, digest);
        CarryOut(report.Run, announced, effect => DoForUpload(effect, report, digest, payload, reply), () => { }, () => { });
    }

    public void Decline(SiteId site, RunId run, int round, DropReason reason, Action reply)
    {
        if (IsUp) CarryOut(run, new RunInput.Declined(site, round, reason), _ => { }, reply, () => { });
    }

    public void Await(SiteId site, RunId run, int round, Action reply)
    {
        if (IsUp) CarryOut(run, new RunInput.AwaitsReview(site, round), _ => { }, reply, () => { });
    }

    private void DoForUpload(RunEffect effect, SiteReport report, Sha256Digest digest, string payload, Action<UploadOutcome> reply)
    {
        switch (effect)
        {
            case RunEffect.Answer { Outcome: var outcome }:
                if (outcome == UploadOutcome.Accepted) simulation.Invariants.Acknowledged(this, report, digest);
                reply(outcome);
                break;
            case RunEffect.Receive when report.Task != RoundTask.Train:
                Later(() => Stored(report, digest, null, reply));
                break;
            case RunEffect.Receive when payload != Payload(digest):
                reply(UploadOutcome.BytesDamaged);
                break;
            case RunEffect.Receive:
                // Aside first, as another upload of the same bytes may be under way.
                var incoming = $"incoming {++_uploads}";
                Later(() => Guard(() => Disk.Write(incoming, payload), () => { }));
                Later(
                    () =>
                    {
                        if (Disk.Read(incoming) is null) return;
                        if (!simulation.Mutant.SkipsFlush) Disk.Flush(incoming);
                        simulation.MaybeCrash(Crash);
                        Disk.Rename(incoming, "blob " + WeightsOf(digest));
                        Stored(report, digest, new ModelRef(WeightsOf(digest), 1), reply);
                    },
                    simulation.Chance.Between(21, 60));
                break;
        }
    }

    private void Stored(SiteReport report, Sha256Digest digest, ModelRef? weights, Action<UploadOutcome> reply)
    {
        var stored = new RunInput.Stored { Report = report, Digest = digest, Weights = weights, Signature = "" };
        CarryOut(report.Run, stored, effect => DoForUpload(effect, report, digest, "", reply), () => { }, () => { });
    }

    private void Resume(RunId run) => Later(() => StepRunner(run, new RunInput.Resumed()));

    private void StepRunner(RunId run, RunInput input)
    {
        var goesOnByItself = false;
        CarryOut(
            run,
            input,
            effect =>
            {
                switch (effect)
                {
                    case RunEffect.Await wait:
                        goesOnByItself = true;
                        AwaitAnswers(run, wait);
                        break;
                    case RunEffect.AwaitMergeTurn { Round: var round }:
                        goesOnByItself = true;
                        _toMerge.Enqueue((run, round.Plan.Round));
                        MergeNext();
                        break;
                    case RunEffect.Merge { Round: var round }:
                        goesOnByItself = true;
                        Later(() => Merge(run, round), simulation.Chance.Between(50, 4_000));
                        break;
                    case RunEffect.PlanNetwork { Round: var round }:
                        goesOnByItself = true;
                        Later(() => PlanNetwork(run, round), simulation.Chance.Between(50, 15_000));
                        break;
                    case RunEffect.Finish:
                        goesOnByItself = true;
                        break;
                }
            },
            done: () =>
            {
                if (goesOnByItself) return;
                if (input is RunInput.MergeTurn) EndMerge();
                StepRunner(run, Continued(run));
            },
            onFullDisk: () =>
            {
                if (input is RunInput.MergeTurn) EndMerge();
                ResumeLater(run);
            });
    }

    private void MergeNext()
    {
        if (_isMerging || !_toMerge.TryDequeue(out var next)) return;
        _isMerging = true;
        Later(() => StepRunner(next.Run, new RunInput.MergeTurn(next.Round, _putOff.Remove(next.Run))));
    }

    private void EndMerge()
    {
        _isMerging = false;
        MergeNext();
    }

    private void ResumeLater(RunId run) => Later(() => StepRunner(run, new RunInput.Resumed()), 15_000);

    private RunInput.Continued Continued(RunId run)
    {
        var state = _runs[run];
        var round = state.Pause is null ? state.OpenRound?.Plan.Round : null;
        if (!_clocks.TryGetValue(run, out var clock) || clock.Round != round) _clocks[run] = clock = (round, simulation.Now);
        return new RunInput.Continued
        {
            OpenFor = TimeSpan.FromMilliseconds(round is null ? 0 : simulation.Now - clock.Since),
            Attending = _attending.Select(attendance => attendance.Site.Id).ToHashSet(),
            HeldUp = round is { } number ? state.Job.Sites.ToDictionary(site => site, site => TurnsOf(site).HeldUpFor(run, number, Time)) : [],
        };
    }

    private void AwaitAnswers(RunId run, RunEffect.Await wait)
    {
        _sleeping.Add(run);
        var left = wait.OpenFor - Continued(run).OpenFor;
        if (wait.OpenFor != Timeout.InfiniteTimeSpan) Later(() => Wake(run), Math.Max(0, (long)left.TotalMilliseconds));
    }

    private void Wake(RunId run)
    {
        if (_sleeping.Remove(run)) Later(() => StepRunner(run, Continued(run)));
    }

    private void Merge(RunId run, RoundState round)
    {
        if (simulation.IsPoisoned(run)) Simulation.Crash(Crash);
        EndMerge();
        if (simulation.Happens(faults => faults.Odd))
        {
            StepRunner(run, new RunInput.Broke("The updates can't be merged."));
            return;
        }

        var model = Invariants.Merged(this, round);
        Guard(
            () =>
            {
                Disk.Write("blob " + model, model.ToString());
                simulation.MaybeCrash(Crash);
                Disk.Flush("blob " + model);
                StepRunner(run, new RunInput.Merged { Round = round, Model = new ModelRef(model, 1) });
            },
            () =>
            {
                _putOff.Add(run);
                ResumeLater(run);
            });
    }

    private void PlanNetwork(RunId run, RoundState round)
    {
        var plan = RunPlanning.Of(_runs[run].Job.Planning!, round.Fingerprints);
        var model = Simulation.Digest("initial", run.ToString(), plan.Digest().ToString());
        Guard(
            () =>
            {
                Disk.Write("blob " + model, model.ToString());
                simulation.MaybeCrash(Crash);
                Disk.Flush("blob " + model);
                StepRunner(run, new RunInput.Planned { Round = round, Plan = plan, InitialModel = new ModelRef(model, 1) });
            },
            () => ResumeLater(run));
    }

    /// <summary>
    /// Tells the run and carries the effects out in their order: those up to the entry at once, as under the run book's lock, the others one after the other, and the
    /// machine may crash between any two.
    /// </summary>
    private void CarryOut(RunId run, RunInput input, Action<RunEffect> other, Action done, Action onFullDisk)
    {
        if (!_runs.TryGetValue(run, out var state)) return;
        var (after, effects) = simulation.Mutant.Run(state, input, Simulation.Epoch.AddMilliseconds(simulation.Now));
        var entry = effects.IndexOf(effects.FirstOrDefault(effect => effect is RunEffect.Append)!);
        Guard(
            () =>
            {
                for (var now = 0; now <= entry; now++)
                {
                    simulation.MaybeCrash(Crash);
                    if (effects[now] is RunEffect.Append { Event: var entered }) Enter(run, entered, after);
                    else other(effects[now]);
                }

                CarryOutFrom(entry + 1);
            },
            onFullDisk);

        void CarryOutFrom(int next)
        {
            if (next == effects.Length)
            {
                done();
                return;
            }

            simulation.MaybeCrash(Crash);
            if (effects[next] is RunEffect.Note) Note(run);
            else other(effects[next]);
            if (next + 1 == effects.Length) done();
            else Later(() => Guard(() => CarryOutFrom(next + 1), onFullDisk), simulation.Chance.Between(0, 5));
        }
    }

    private void Enter(RunId run, RunEvent entered, RunState after)
    {
        simulation.Trace($"coordinator enters {entered.GetType().Name} of {run}");
        Disk.Append((run, entered));
        simulation.MaybeCrash(Crash);
        Disk.FlushLog();
        _runs[run] = after;
        simulation.Invariants.Entered(this, run, entered);
        Wake(run);
        foreach (var attendance in _attending.ToArray()) Offer(attendance);
    }

    private void Note(RunId run)
    {
        foreach (var round in _runs[run].AllRounds)
        {
            foreach (var accepted in round.Accepted.Values)
            {
                var note = accepted.Digest.ToString();
                if (_noted.Contains(note)) continue;
                Ledger.Append(note);
                simulation.MaybeCrash(Crash);
                Ledger.FlushLog();
                _noted.Add(note);
            }
        }
    }

    private TimeSpan Time => TimeSpan.FromMilliseconds(simulation.Now);

    private SiteTurns TurnsOf(SiteId site) => _turns.GetValueOrDefault(site, SiteTurns.Away);

    private void Offer(Attendance attendance)
    {
        var site = attendance.Site.Id;
        _turns[site] = TurnsOf(site).Look(SiteDemand.Of(_runs.Values, site), Time);
        RunInput.Asked Asked(RunId run) => new(site, attendance.Held.Contains(run), _turns[site].InWork.Any(work => work.Run == run));
        foreach (var (run, state) in _runs)
        {
            foreach (var effect in simulation.Mutant.Run(state, Asked(run), default).Effects)
            {
                if (effect is RunEffect.Release && attendance.Held.Remove(run)) attendance.Send(simulation, site => site.TellEnded(attendance.Session, run));
                if (effect is RunEffect.Assign { Plan: var plan } && attendance.Sent.Add((run, plan.Round)))
                {
                    attendance.Held.Add(run);
                    attendance.Send(simulation, site => site.Assign(attendance.Session, plan));
                }
            }
        }
    }

    /// <summary>The connection is gone, and the coordinator has noticed.</summary>
    private void Leave(Attendance attendance)
    {
        if (!_attending.Remove(attendance)) return;
        _turns[attendance.Site.Id] = TurnsOf(attendance.Site.Id).Leave(Time);
    }

    private static void Guard(Action action, Action onFullDisk)
    {
        try
        {
            action();
        }
        catch (IOException)
        {
            onFullDisk();
        }
    }

    private void Later(Action action, long? delay = null)
    {
        var incarnation = _incarnation;
        simulation.After(delay ?? simulation.Chance.Between(1, 20), () =>
        {
            if (incarnation == _incarnation && IsUp) action();
        });
    }

    public static string Payload(Sha256Digest digest) => "weights of " + digest;

    public static Sha256Digest WeightsOf(Sha256Digest digest) => Simulation.Digest("weights", digest.ToString());

    private sealed class Attendance(SimulatedSite site, int session, ImmutableArray<RunId> held)
    {
        private long _lastArrival;
        private bool _broken;

        public SimulatedSite Site => site;
        public int Session => session;
        public HashSet<RunId> Held { get; } = [.. held];
        public HashSet<(RunId, int)> Sent { get; } = [];

        public void Send(Simulation simulation, Action<SimulatedSite> message)
        {
            if (_broken || simulation.Network.SendInOrder(site.Index, ref _lastArrival, () => message(site))) return;
            Break();
            // The coordinator's pings are not answered.
            simulation.Coordinator.Later(() => simulation.Coordinator.Leave(this), 40_000);
        }

        /// <summary>The site finds out by silence.</summary>
        public void Break()
        {
            _broken = true;
            site.LoseLater(session);
        }
    }
}

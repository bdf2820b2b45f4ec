using FedSeg.Federation.Assignments;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Simulation;

/// <summary>A site's agent over a faulty disk and network: attendance, trainer, gate, outbox and ledger, as in <c>FedSeg.SiteAgent</c>.</summary>
internal sealed class SimulatedSite(Simulation simulation, int index)
{
    private const long CallTimeout = 30_000, Silence = 60_000;

    private AssignmentState _state = AssignmentState.Idle;
    private int _incarnation, _session, _step, _trainings;
    private bool _isUp;

    public int Index => index;

    public SiteId Id { get; } = SiteId.Parse($"site-{index}");

    /// <summary>The site's ledger, and the outbox as files.</summary>
    public SimulatedDisk<LedgerLine> Disk { get; } = new(simulation.Chance);

    /// <summary>Whether the site works on nothing and holds nothing.</summary>
    public bool IsFree => _isUp && _state is { Current: null, Waiting.IsEmpty: true, Held.IsEmpty: true };

    /// <summary>Whether it never comes.</summary>
    public required bool IsDead { get; init; }

    /// <summary>Whether it has agreed to such runs.</summary>
    public required bool Approves { get; init; }

    public void Start()
    {
        _isUp = true;
        foreach (var unsent in Unsent()) Tell(new AssignmentInput.Remembered(unsent.Run));
        foreach (var review in Undecided())
        {
            Tell(new AssignmentInput.Remembered(review.Run));
            DecideLater(review);
        }

        SendUnsent();
    }

    /// <summary>What an earlier start approved and did not record as sent goes before any assignment.</summary>
    private void SendUnsent()
    {
        if (Unsent() is not [var line, ..])
        {
            Attend();
            return;
        }

        var step = ++_step;
        simulation.Trace($"{Id} sends again what it had approved for {line.Run} round {line.Round}");
        simulation.Invariants.Leaving(this, line.Digest);
        Call(
            step,
            reply => simulation.Coordinator.Upload(line.Report!, line.Digest, SimulatedCoordinator.Payload(line.Digest), outcome => reply(outcome == UploadOutcome.BytesDamaged
                ? new AssignmentInput.ConnectionLost()
                : new AssignmentInput.Delivered(outcome == UploadOutcome.Accepted))),
            answer =>
            {
                try
                {
                    if (answer is AssignmentInput.Delivered) Append(line with { Kind = LedgerKind.Sent, Report = null });
                    Later(SendUnsent);
                }
                catch (IOException)
                {
                    Later(SendUnsent, 15_000);
                }
            });
    }

    public void Crash()
    {
        if (!_isUp) return;
        simulation.Trace($"{Id} crashes");
        _isUp = false;
        _incarnation++;
        _session++;
        _state = AssignmentState.Idle;
        Disk.Crash();
        simulation.After(simulation.Chance.Between(500, 20_000), Start);
    }

    /// <summary>A plan came over the stream of a session.</summary>
    public void Assign(int session, RoundPlan plan)
    {
        if (!_isUp || session != _session) return;
        // A clock is wrong, and set right before it comes again.
        if (simulation.Happens(faults => faults.Odd)) Tell(new AssignmentInput.PlanUntimely());
        else Tell(new AssignmentInput.RoundAssigned(plan, Approves));
    }

    /// <summary>The end of a run came over it.</summary>
    public void TellEnded(int session, RunId run)
    {
        if (_isUp && session == _session) Tell(new AssignmentInput.RunEnded(run));
    }

    /// <summary>The stream of a session broke; the site finds out by silence.</summary>
    public void LoseLater(int session) => Later(() =>
    {
        if (session == _session) Attend();
    }, Silence);

    /// <summary>Whether the ledger on the disk, as a crash would leave it, says that the update may leave.</summary>
    public bool HasCleared(Sha256Digest digest) =>
        Disk.Log.Take(Disk.DurableRecords).Any(line => line.Digest == digest && line.Kind == LedgerKind.Approved);

    private void Attend()
    {
        var session = ++_session;
        var (held, inHand) = (_state.Held, _state.InHand.ToList());
        var arrived = false;
        simulation.Network.Send(index, toCoordinator: true, () =>
        {
            // One connection: a request does not arrive twice, and none of an older session after a newer one.
            if (arrived || session != _session || !simulation.Coordinator.IsUp) return;
            arrived = true;
            simulation.Coordinator.Attend(this, session, held, inHand);
        });
        Later(() =>
        {
            if (!arrived && session == _session) Attend();
        }, CallTimeout);
    }

    private void Tell(AssignmentInput input)
    {
        var (next, effects) = simulation.Mutant.Site(_state, input);
        _state = next;
        foreach (var effect in effects)
        {
            simulation.MaybeCrash(Crash);
            switch (effect)
            {
                case AssignmentEffect.Free { Run: var run }:
                    Free(run);
                    break;
                case AssignmentEffect.Stop { Within: var within }:
                    // Unless the result comes first, that was just about to.
                    var stopping = _step;
                    Later(() => End(stopping, new AssignmentInput.Stopped()), Math.Max((long)within.TotalMilliseconds, simulation.Chance.Between(1, 200)));
                    break;
                case AssignmentEffect.Drop:
                    // Its trainer is no process here.
                    break;
                case AssignmentEffect.AttendAnew { Within: var within }:
                    var session = _session;
                    Later(
                        () =>
                        {
                            if (session == _session) Attend();
                        },
                        Math.Max((long)within.TotalMilliseconds, 1));
                    break;
                case AssignmentEffect.Work work:
                    Begin(work);
                    break;
            }
        }
    }

    private void Begin(AssignmentEffect.Work work)
    {
        var step = ++_step;
        simulation.Trace($"{Id} begins {work.GetType().Name} of {work.Plan.Run} round {work.Plan.Round}");
        switch (work)
        {
            case AssignmentEffect.Recall recall:
                var unsent = Unsent().FirstOrDefault(line => line.Run == recall.Plan.Run && line.Round == recall.Plan.Round);
                EndLater(step, () => unsent is not null ? new AssignmentInput.Recalled(unsent.Digest)
                    : simulation.Happens(faults => faults.Odd) ? new AssignmentInput.Lapsed()
                    : Reviewed(recall.Plan));
                break;
            case AssignmentEffect.FetchModel fetch:
                Call(
                    step,
                    reply => simulation.Coordinator.Download(fetch.Plan.BaseModel, content => reply(content == fetch.Plan.BaseModel.ToString()
                        ? simulation.Happens(faults => faults.Odd) ? new AssignmentInput.ModelRefused() : new AssignmentInput.ModelFetched()
                        : new AssignmentInput.ConnectionLost())));
                break;
            case AssignmentEffect.Train train:
                Train(step, train.Plan);
                break;
            case AssignmentEffect.ClearUpdate clear:
                EndLater(step, () => Clear(clear.Update.Report, Simulation.Digest("update", clear.Update.WeightsPath!)));
                break;
            case AssignmentEffect.SendUpdate send:
                Send(step, send);
                break;
            case AssignmentEffect.RecordSent sent:
                EndLater(step, () => Record(LedgerKind.Sent, sent.Plan, sent.Update, new AssignmentInput.Recorded()));
                break;
            case AssignmentEffect.RecordChanged changed:
                EndLater(step, () => Record(LedgerKind.Discarded, changed.Plan, changed.Update, new AssignmentInput.Recorded()));
                break;
            case AssignmentEffect.RecordEnded ended:
                EndLater(step, () => Record(LedgerKind.Discarded, ended.Plan, ended.Update, new AssignmentInput.Recorded()));
                break;
            case AssignmentEffect.ClearNotice clear:
                AssignmentInput verdict = simulation.Happens(faults => faults.Odd) ? new AssignmentInput.NoticeRefused() : new AssignmentInput.NoticeCleared();
                EndLater(step, () => Record(LedgerKind.Notice, clear.Plan, default, verdict));
                break;
            case AssignmentEffect.SendNotice notice:
                Call(step, reply =>
                {
                    void Answer() => reply(new AssignmentInput.Delivered(Accepted: true));
                    if (notice.Reason is { } reason) simulation.Coordinator.Decline(Id, notice.Plan.Run, notice.Plan.Round, reason, Answer);
                    else simulation.Coordinator.Await(Id, notice.Plan.Run, notice.Plan.Round, Answer);
                });
                break;
            case AssignmentEffect.RecordNotice notice:
                EndLater(step, () => Record(LedgerKind.Notice, notice.Plan, default, new AssignmentInput.Recorded()));
                break;
            case AssignmentEffect.Cosign:
                EndLater(step, () => new AssignmentInput.Cosigned());
                break;
            case AssignmentEffect.Wait wait:
                Later(() => End(step, new AssignmentInput.WaitOver()), (long)wait.Time.TotalMilliseconds);
                break;
        }
    }

    private void Train(int step, RoundPlan plan)
    {
        simulation.Invariants.Training(this, plan);
        var time = simulation.Happens(faults => faults.Straggles)
            ? simulation.Chance.Between(60_000, 400_000)
            : simulation.Chance.Between(500, 20_000);
        if (simulation.Happens(faults => faults.TrainerFails))
        {
            EndLater(step, () => new AssignmentInput.TrainingFailed(DropReason.TrainerCrashed), time);
            return;
        }

        if (simulation.Happens(faults => faults.Odd)) Later(Halt, time / 2);

        // Sealing rounds by chance, so no two trainings give the same update.
        var name = $"{Id} {plan.Run} {plan.Round} {++_trainings} {_incarnation}";
        var report = plan.Task == RoundTask.Fingerprint ? SiteReport.Of(plan, Id, Plans.Fingerprint(cases: 5 + index)) : Report(plan);
        EndLater(step, () => new AssignmentInput.Trained(new ModelUpdate(report, name)), time);
    }

    private AssignmentInput Clear(SiteReport report, Sha256Digest digest)
    {
        if (simulation.Happens(faults => faults.PolicyRefuses)) return new AssignmentInput.UpdateRefused();
        var file = "outbox " + digest;
        Disk.Write(file, SimulatedCoordinator.Payload(digest));
        simulation.MaybeCrash(Crash);
        Disk.Flush(file);
        simulation.MaybeCrash(Crash);
        if (!simulation.Happens(faults => faults.Reviewed))
        {
            Append(new LedgerLine(LedgerKind.Approved, report.Run, report.Round, digest, report));
            return new AssignmentInput.UpdateCleared(digest);
        }

        var review = new LedgerLine(LedgerKind.Review, report.Run, report.Round, digest, report);
        Append(review);
        DecideLater(review);
        return new AssignmentInput.AwaitsReview();
    }

    /// <summary>A person decides some time later, also after a restart; a full disk takes no decision, so it is tried again.</summary>
    private void DecideLater(LedgerLine review) => Later(() =>
    {
        if (!Undecided().Contains(review)) return;
        try
        {
            Append(review with { Kind = simulation.Happens(faults => 3 * faults.Reviewed) ? LedgerKind.Refused : LedgerKind.Approved });
            Tell(new AssignmentInput.Reviewed(review.Run));
        }
        catch (IOException)
        {
            DecideLater(review);
        }
    }, simulation.Chance.Between(1, 100_000));

    /// <summary>What people decided about a round; the model is fetched where there was nothing to decide.</summary>
    private AssignmentInput Reviewed(RoundPlan plan)
    {
        bool IsAbout(LedgerLine line) => line.Run == plan.Run && line.Round == plan.Round;
        if (Undecided().Any(IsAbout)) return new AssignmentInput.AwaitsReview();
        return Disk.Log.Any(line => line.Kind == LedgerKind.Refused && IsAbout(line))
            ? new AssignmentInput.RefusedByPeople(DropReason.RefusedInReview)
            : new AssignmentInput.Recalled(Update: null);
    }

    /// <summary>The kill switch, lifted a little later: what waits is dropped, and the site attends anew.</summary>
    private void Halt()
    {
        foreach (var line in Unsent().Concat(Undecided()).ToList()) Disk.Append(line with { Kind = LedgerKind.Discarded, Report = null });
        Tell(new AssignmentInput.Halted());
        _session++;
        Later(Attend, simulation.Chance.Between(500, 20_000));
    }

    private void Send(int step, AssignmentEffect.SendUpdate send)
    {
        simulation.Invariants.Leaving(this, send.Update);
        var line = Disk.Log.LastOrDefault(line => line.Digest == send.Update && line.Report is not null);
        var payload = Disk.Read("outbox " + send.Update) ?? "";
        var changed = payload != SimulatedCoordinator.Payload(send.Update);
        if (changed || simulation.Happens(faults => faults.Odd))
        {
            // Of the odd ones every other is a blind round that went on without the site.
            AssignmentInput end = changed || _trainings % 2 == 0 ? new AssignmentInput.PayloadChanged() : new AssignmentInput.ExchangeEnded(
                DropReason.LeftExchange);
            EndLater(step, () => end);
            return;
        }

        if (simulation.Happens(faults => faults.Damaged)) payload = "damaged " + payload;
        Call(step, reply => simulation.Coordinator.Upload(line!.Report!, send.Update, payload, outcome => reply(outcome == UploadOutcome.BytesDamaged
            ? new AssignmentInput.ConnectionLost()
            : new AssignmentInput.Delivered(outcome == UploadOutcome.Accepted))));
    }

    private AssignmentInput Record(LedgerKind kind, RoundPlan plan, Sha256Digest digest, AssignmentInput then)
    {
        Append(new LedgerLine(kind, plan.Run, plan.Round, digest, null));
        if (kind is LedgerKind.Sent or LedgerKind.Discarded) Disk.Delete("outbox " + digest);
        return then;
    }

    private void Free(RunId run)
    {
        try
        {
            foreach (var unsent in Unsent().Concat(Undecided()).Where(line => line.Run == run).ToList()) Append(unsent with { Kind = LedgerKind.Discarded, Report = null });
            _state = simulation.Mutant.Site(_state, new AssignmentInput.RunFreed(run)).State;
        }
        catch (IOException)
        {
            // It stays held; the coordinator says at the next attendance again that it is over.
            Later(Attend, Silence);
        }
    }

    private void Append(LedgerLine line)
    {
        Disk.Append(line);
        simulation.MaybeCrash(Crash);
        Disk.FlushLog();
    }

    private List<LedgerLine> Unsent()
    {
        var unsent = new List<LedgerLine>();
        foreach (var line in Disk.Log)
        {
            if (line.Kind == LedgerKind.Approved) unsent.Add(line);
            else if (line.Kind != LedgerKind.Notice) unsent.RemoveAll(other => other.Digest == line.Digest);
        }

        return unsent;
    }

    private List<LedgerLine> Undecided() =>
        [.. Disk.Log.Where(line => line.Kind == LedgerKind.Review && !Disk.Log.Any(other => other.Kind is not LedgerKind.Review && other.Digest == line.Digest))];

    /// <summary>A call to the coordinator: the first answer counts, and none within the deadline is a lost connection.</summary>
    private void Call(int step, Action<Action<AssignmentInput>> atCoordinator, Action<AssignmentInput>? then = null)
    {
        void Finish(AssignmentInput answer)
        {
            if (then is null)
            {
                End(step, answer);
            }
            else if (step == _step)
            {
                _step++;
                then(answer);
            }
        }

        var incarnation = _incarnation;
        simulation.Network.Send(index, toCoordinator: true, () =>
        {
            if (!simulation.Coordinator.IsUp) return;
            atCoordinator(answer => simulation.Network.Send(index, toCoordinator: false, () =>
            {
                if (incarnation == _incarnation && _isUp) Finish(answer);
            }));
        });
        Later(() => Finish(new AssignmentInput.ConnectionLost()), CallTimeout);
    }

    private void EndLater(int step, Func<AssignmentInput> outcome, long? delay = null) => Later(() =>
    {
        if (step != _step) return;
        AssignmentInput input;
        try
        {
            input = outcome();
        }
        catch (IOException)
        {
            input = new AssignmentInput.StorageFailed();
        }

        End(step, input);
    }, delay ?? simulation.Chance.Between(1, 30));

    private void End(int step, AssignmentInput input)
    {
        if (step != _step) return;
        _step++;
        // Also after it had done what it was to do.
        var breaks = input is not (AssignmentInput.WaitOver or AssignmentInput.Stopped) && simulation.Happens(faults => faults.Odd);
        Tell(breaks ? new AssignmentInput.Broke() : input);
    }

    private SiteReport Report(RoundPlan plan) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Task = plan.Task,
        Site = Id,
        Plan = plan.BaseModel,
        BaseModel = plan.BaseModel,
        TrainingCases = 10,
        HeldBackCases = 2,
        Steps = 1,
        MeanLoss = 0.5,
        Scores = [],
    };

    private void Later(Action action, long? delay = null)
    {
        var incarnation = _incarnation;
        simulation.After(delay ?? simulation.Chance.Between(1, 30), () =>
        {
            if (incarnation == _incarnation && _isUp) action();
        });
    }
}

internal enum LedgerKind
{
    Approved,
    Sent,
    Discarded,
    Review,
    Refused,
    Notice,
}

/// <summary>An entry of a site's ledger.</summary>
internal sealed record LedgerLine(LedgerKind Kind, RunId Run, int Round, Sha256Digest Digest, SiteReport? Report);

using System.Collections.Immutable;
using FedSeg.Egress.Budget;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Review;

/// <summary>
/// Where people decide what may leave. Obeys signed-in people's orders one at a time: each is held against the accounts, the policy and what is true by then, written into
/// the ledger, and only then has an effect. The one exception is the kill switch, which stops first and is written down after. The desk makes nothing that could be sent:
/// only the gate does, from what the ledger calls approved.
/// </summary>
public sealed class ReviewDesk : IDisposable
{
    private const string NoPolicy = "there is no valid policy";

    private readonly EgressRecords _records;
    private readonly SiteRecord _site;
    private readonly UpdateOutbox _outbox;
    private readonly DeskAccounts _accounts;
    private readonly PlanReview _plans;
    private readonly PolicyReview _policy;
    private readonly CharterReview _charters;
    private readonly PatientRecords _patients;
    private readonly CohortBudget _budget;
    private readonly TimeProvider _time;

    internal ReviewDesk(
        EgressOptions options, EgressRecords records, SiteRecord site, UpdateOutbox outbox, DeskAccounts accounts, CohortBudget budget, TimeProvider time)
    {
        _budget = budget;
        (_records, _site, _outbox, _accounts, _time) = (records, site, outbox, accounts, time);
        _charters = new CharterReview(options, records, site, new CharterFiles(options.DeskDirectory), time);
        _policy = new PolicyReview(options, records, site, new PolicyFiles(options.DeskDirectory), _charters.AskForFourEyes, time);
        _patients = new PatientRecords(options.DeskDirectory);
        _plans = new PlanReview(records, site, new PlanFiles(options.DeskDirectory), time);
        if (_site.Book(book => book.Halt) is not null) Switch.Throw();
    }

    /// <summary>Whether the site is halted.</summary>
    public KillSwitch Switch { get; } = new();

    /// <summary>The policy that holds now; <see langword="null"/> when none does.</summary>
    public EgressPolicy? Policy => _policy.InForce();

    /// <summary>Why no policy holds and nothing may leave; <see langword="null"/> when one does.</summary>
    public string? PolicyProblem => _policy.Problem();

    /// <summary>Whether the site begins no round for now.</summary>
    public bool IsPaused => _site.Book(book => book.IsPaused);

    /// <summary>Runs in which something waits for a person.</summary>
    public IReadOnlyList<RunId> WaitingRuns => _site.Book(book => book.Waiting.Select(waiting => waiting.Run).Concat(book.WaitingPlans.Select(waiting => waiting.Run)).Distinct().ToList());

    /// <summary>Deals with one order. Its outcome is in the ledger when this returns; given again, it does what a crash or a full disk left undone, and nothing more.</summary>
    /// <exception cref="IOException">Disk or ledger refused; the order is to be given again. A halt is in force all the same.</exception>
    /// <exception cref="LedgerCorruptException">The ledger is broken; nothing was decided. A halt is in force all the same.</exception>
    public async Task<OrderOutcome> ObeyAsync(DeskOrder order)
    {
        var account = _accounts.Find(order.By);
        var allowed = account is not null && account.CountsAt(order.At) && DeskPermissions.Allows(account.Role, order);
        if (allowed && order is DeskOrder.Halt) Switch.Throw();

        using var turn = await _site.TakeTurnAsync(CancellationToken.None);
        if (_site.Book(book => book.Knows(order.Id))) return allowed ? await FinishAsync(order) : new OrderOutcome.Obeyed("was dealt with before");
        if (!allowed) return await RefuseAsync(order, "no account of that name may order this");
        var giver = new Approver(order.By, account!.Person);
        return order switch
        {
            DeskOrder.Approve approve => await ApproveAsync(approve, giver),
            DeskOrder.Refuse refuse => await RefuseUpdateAsync(refuse),
            DeskOrder.ApprovePlan approve => await ApproveAsync(approve, giver),
            DeskOrder.RefusePlan refuse => await _plans.RefuseAsync(refuse, why => RefuseAsync(refuse, why)),
            DeskOrder.ApprovePolicy approve => await _policy.ApproveAsync(
                approve, giver, by => _accounts.Find(by)?.Role == DeskRole.PrivacyOfficer, why => RefuseAsync(approve, why)),
            DeskOrder.RefusePolicy refuse => await _policy.RefuseAsync(refuse, why => RefuseAsync(refuse, why)),
            DeskOrder.ImportCharter import => await _charters.ImportAsync(import, giver, why => RefuseAsync(import, why)),
            DeskOrder.AcceptCharter accept => await AcceptAsync(accept, giver),
            DeskOrder.DeclineCharter decline => await DeclineAsync(decline, giver),
            DeskOrder.WithdrawPatient withdraw => await WithdrawAsync(withdraw, giver),
            DeskOrder.LeaveStudy leave => await LeaveAsync(leave, giver),
            DeskOrder.Pause => await SetAsync(EgressRecords.Paused, order, giver, "the site is paused"),
            DeskOrder.Resume => await SetAsync(EgressRecords.Resumed, order, giver, "the pause is over"),
            DeskOrder.Halt => await HaltAsync(order, giver),
            DeskOrder.Lift => await LiftAsync(order, giver),
            DeskOrder.LocalSignIn => await SetAsync(EgressRecords.LocalSignIn, order, giver, "noted"),
            _ => throw new InvalidOperationException($"Unknown order {order.GetType().Name}."),
        };
    }

    /// <summary>Refuses what nobody decided about in time, and looks whether the policy file has changed.</summary>
    /// <returns>The runs that something waited in.</returns>
    public async Task<IReadOnlyList<RunId>> ExpireAsync()
    {
        using var turn = await _site.TakeTurnAsync(CancellationToken.None);
        await _charters.NoteSuccessorAsync();
        await _policy.CatchUpAsync();
        await _policy.ExpireAsync();
        var now = _time.GetUtcNow();
        var late = _site.Book(book => book.Waiting.Where(waiting => waiting.Until <= now).ToList());
        foreach (var waiting in late)
        {
            await DecideAsync(waiting, new EgressDecision.Refused("nobody") { Reason = RefusalReason.Expired });
            _outbox.Remove(waiting.Update);
        }

        return [.. late.Select(waiting => waiting.Run).Concat(await _plans.ExpireAsync()).Distinct()];
    }

    /// <summary>Looks whether the policy file has changed, within the gate's turn.</summary>
    internal Task LookAtPolicyAsync() => _policy.CatchUpAsync();

    /// <summary>Whether a run may train here, asked by the gate within its turn.</summary>
    internal async Task<PlanOutcome> DecideAsync(PlanOrigin.Proven proven, EgressPolicy policy)
    {
        var plan = proven.Plan;
        var verdict = CharterOf(plan, policy);
        if (verdict is not CharterVerdict.Outside { Problem: var problem }) return await _plans.DecideAsync(proven, policy.TightenedBy(verdict.Cover?.Charter), verdict.Cover);
        await _site.NoteAsync(EgressRecords.PlanOutsideCharter, _records.LeaveOut(plan, problem));
        return new PlanOutcome.OutsideCharter(problem);
    }

    /// <summary>Runs of studies that this site has left: nothing of them is kept here.</summary>
    public IReadOnlyList<RunId> LeftRuns => _site.Book(book => book.LeftRuns.ToList());

    /// <summary>Patients who withdrew, among those a round used; <see langword="null"/> when patients withdrew and nobody knows whom it used.</summary>
    internal int? WithdrawnIn(RoundPlan plan)
    {
        var withdrawn = _site.Book(book => book.Withdrawn.ToList());
        if (withdrawn.Count == 0) return 0;
        return _patients.Find(plan.Run, plan.Round) is { } use ? withdrawn.Count(use.Includes) : null;
    }

    /// <summary>How many patients what leaves of a round is about; <see langword="null"/> when nobody knows.</summary>
    internal int? PatientsIn(RoundPlan plan) => _patients.Find(plan.Run, plan.Round) is not { } use ? null
        : plan.Task == RoundTask.Evaluate ? use.Scored.Length : use.Trained.Length;

    /// <summary>What this site's charters say about a run.</summary>
    internal CharterVerdict CharterOf(RoundPlan plan, EgressPolicy policy) => _charters.Of(plan, policy);

    /// <summary>Why what was measured under a charter, or without one, may not leave any more; <see langword="null"/> when it may.</summary>
    internal string? CharterProblem(Sha256Digest? charter, EgressPolicy policy) => _charters.Problem(charter, policy);

    /// <summary>Takes back what a run that has ended asked for, within the gate's turn.</summary>
    internal Task WithdrawAsync(RunId run, string why) => _plans.WithdrawAsync(run, why);

    public void Dispose() => Switch.Dispose();

    private async Task<OrderOutcome> ApproveAsync(DeskOrder.Approve order, Approver giver)
    {
        if (Switch.IsThrown) return await RefuseAsync(order, "the site is halted");
        if (order.NextRounds is < 0 or > 1000) return await RefuseAsync(order, "next rounds are 0 to 1000");
        if (_site.Book(book => book.Find(order.Update)) is not { } waiting) return await RefuseAsync(order, "nothing waits under this digest");
        if (waiting.ApprovedBy.Select(first => first.Problem(giver.Person)).FirstOrDefault(problem => problem is not null) is { } same) return await RefuseAsync(order, same);
        if (Policy is not { } policy) return await RefuseAsync(order, NoPolicy);
        if (_charters.Problem(waiting.Charter, policy) is { } outside) return await RefuseAsync(order, outside);
        policy = _charters.Tighten(policy, waiting.Charter);
        // What is approved is what lies there, bit for bit, or nothing.
        if (await _outbox.FindAsync(order.Update, CancellationToken.None) is null)
        {
            await _site.NoteAsync(EgressRecords.Discarded, _records.Discard(order.Update, waiting.Run, "not as sealed in the outbox"));
            _outbox.Remove(order.Update);
            return await RefuseAsync(order, "the bytes are no longer those that were sealed");
        }

        if (waiting.ApprovedBy.Length + 1 < policy.Approvals)
        {
            await _site.NoteAsync(EgressRecords.ReviewApproved, _records.ApproveFirst(waiting, order, giver));
            return new OrderOutcome.Obeyed("approved by one of two people");
        }

        var (charged, refusal) = ReleaseCharge.Charge(_budget, policy, waiting.Task, waiting.Update, waiting.Run, waiting.Round, waiting.Privacy);
        if (refusal is not null) return await RefuseAsync(order, refusal);

        // Of two people the more careful one says how long it stands.
        var next = waiting.ApprovedBy.IsEmpty ? order.NextRounds : Math.Min(order.NextRounds, waiting.NextRounds);
        Approver[] both = [.. waiting.ApprovedBy, giver];
        var by = string.Join(" and ", both.Select(one => one.By));
        var people = string.Join(" and ", both.Select(one => one.Person));
        await DecideAsync(waiting, new EgressDecision.Approved(by) { Order = order.Id, People = people, NextRounds = next, StandsUntil = _time.GetUtcNow() + policy.ApprovalTime, Budgets = charged });
        return new OrderOutcome.Obeyed("approved") { Answered = [waiting.Run] };
    }

    private async Task<OrderOutcome> ApproveAsync(DeskOrder.ApprovePlan order, Approver giver)
    {
        if (Switch.IsThrown) return await RefuseAsync(order, "the site is halted");
        return Policy is { } policy
            ? await _plans.ApproveAsync(order, giver, policy, _charters, why => RefuseAsync(order, why))
            : await RefuseAsync(order, NoPolicy);
    }

    private async Task<OrderOutcome> RefuseUpdateAsync(DeskOrder.Refuse order)
    {
        if (order.Reason == RefusalReason.Expired) return await RefuseAsync(order, "a person has another reason than the clock");
        if (_site.Book(book => book.Find(order.Update)) is not { } waiting) return await RefuseAsync(order, "nothing waits under this digest");
        await DecideAsync(waiting, new EgressDecision.Refused(order.By) { Reason = order.Reason, Order = order.Id });
        _outbox.Remove(order.Update);
        return new OrderOutcome.Obeyed("refused") { Answered = [waiting.Run] };
    }

    private async Task<OrderOutcome> AcceptAsync(DeskOrder.AcceptCharter order, Approver giver)
    {
        if (Policy is not { } policy) return await RefuseAsync(order, NoPolicy);
        var outcome = await _charters.AcceptAsync(order, giver, policy, why => RefuseAsync(order, why));
        // It may ask for four eyes: the policy of this moment is the one that two people have to change.
        if (outcome is OrderOutcome.Obeyed) await _policy.CatchUpAsync();
        return outcome;
    }

    private async Task<OrderOutcome> DeclineAsync(DeskOrder.DeclineCharter order, Approver giver)
    {
        var outcome = await _charters.DeclineAsync(order, giver, why => RefuseAsync(order, why));
        if (outcome is OrderOutcome.Obeyed) await DropAsync((_, _, charter) => charter == order.Charter, "its charter holds no more");
        return outcome;
    }

    /// <summary>An order is in the ledger before what it asks to be dropped is gone: whatever of that is still here goes now.</summary>
    private async Task<OrderOutcome> FinishAsync(DeskOrder order) => order switch
    {
        DeskOrder.Halt => await DropAllAsync(),
        DeskOrder.WithdrawPatient withdraw => await DropPatientAsync(withdraw),
        DeskOrder.LeaveStudy leave when _site.Book(book => book.HasLeft(leave.Study)) => await DropStudyAsync(leave),
        _ => new OrderOutcome.Obeyed("was dealt with before"),
    };

    private async Task<OrderOutcome> HaltAsync(DeskOrder order, Approver giver)
    {
        await _site.NoteAsync(EgressRecords.Halted, _records.Obey(order, giver));
        return await DropAllAsync();
    }

    private async Task<OrderOutcome> DropAllAsync()
    {
        await DropAsync((_, _, _) => true, "the site was halted");
        return new OrderOutcome.Obeyed("the site is halted");
    }

    /// <summary>Updates that used the patient and are still here are dropped, and their rounds done again without them if there is time.</summary>
    private async Task<OrderOutcome> WithdrawAsync(DeskOrder.WithdrawPatient order, Approver giver)
    {
        if (_site.Book(book => book.Withdrawn.Contains(order.Patient))) return await RefuseAsync(order, "this patient has withdrawn before");
        await _site.NoteAsync(EgressRecords.PatientWithdrawn, _records.Withdraw(order, giver, UsesOf(order.Patient).Count));
        return await DropPatientAsync(order);
    }

    private HashSet<(RunId Run, int Round)> UsesOf(Sha256Digest patient) => _patients.RoundsOf(patient).Select(round => (round.Run, round.Round)).ToHashSet();

    private async Task<OrderOutcome> DropPatientAsync(DeskOrder.WithdrawPatient order)
    {
        var used = UsesOf(order.Patient);
        var runs = await DropAsync((run, round, _) => used.Contains((run, round)), "a patient withdrew");
        return new OrderOutcome.Obeyed("the patient is left out from now on") { Answered = runs };
    }

    private async Task<OrderOutcome> LeaveAsync(DeskOrder.LeaveStudy order, Approver giver)
    {
        var runs = RunsOf(order.Study);
        if (_site.Book(book => book.HasLeft(order.Study))) return await RefuseAsync(order, "this hospital has left the study before");
        if (runs.Count == 0 && _site.Book(book => book.CharterOf(order.Study)) is null) return await RefuseAsync(order, "no study of that name is known here");
        await _site.NoteAsync(EgressRecords.StudyLeft, _records.Leave(order, giver, runs.Count));
        return await DropStudyAsync(order);
    }

    private HashSet<RunId> RunsOf(StudyId study) => _site.Book(book => book.RunsOf(study).ToHashSet());

    private async Task<OrderOutcome> DropStudyAsync(DeskOrder.LeaveStudy order)
    {
        var runs = RunsOf(order.Study);
        await DropAsync((run, _, _) => runs.Contains(run), "this hospital has left the study");
        foreach (var run in runs) await _plans.WithdrawAsync(run, "this hospital has left the study");
        return new OrderOutcome.Obeyed("this hospital has left the study") { Left = [.. runs] };
    }

    /// <summary>Drops what waits and what is approved and unsent.</summary>
    /// <returns>The runs that had something.</returns>
    private async Task<ImmutableArray<RunId>> DropAsync(Func<RunId, int, Sha256Digest?, bool> which, string why)
    {
        var dropped = _site.Book(book => book.Waiting
            .Where(waiting => which(waiting.Run, waiting.Round, waiting.Charter)).Select(waiting => (waiting.Update, waiting.Run)).ToList());
        dropped.AddRange(_site.History(history => history.Unsent
            .Where(unsent => which(unsent.Run, unsent.Round, unsent.Charter)).Select(unsent => (unsent.Update, unsent.Run)).ToList()));
        foreach (var (update, run) in dropped)
        {
            await _site.NoteAsync(EgressRecords.Discarded, _records.Discard(update, run, why));
            _outbox.Remove(update);
        }

        return [.. dropped.Select(update => update.Run).Distinct()];
    }

    private async Task<OrderOutcome> LiftAsync(DeskOrder order, Approver giver)
    {
        switch (_site.Book(book => book.Halt))
        {
            case null:
                return await RefuseAsync(order, "the site is not halted");
            case { LiftAskedBy: null }:
                return await SetAsync(EgressRecords.LiftAsked, order, giver, "a second person has to lift it, too");
            case { LiftAskedBy: { } first } when first.Problem(giver.Person) is { } problem:
                return await RefuseAsync(order, problem);
            default:
                var outcome = await SetAsync(EgressRecords.Lifted, order, giver, "the site is in service again");
                Switch.Release();
                return outcome;
        }
    }

    private async Task<OrderOutcome> SetAsync(string action, DeskOrder order, Approver giver, string what)
    {
        await _site.NoteAsync(action, _records.Obey(order, giver));
        return new OrderOutcome.Obeyed(what);
    }

    private async Task<OrderOutcome> RefuseAsync(DeskOrder order, string why)
    {
        await _site.NoteAsync(EgressRecords.OrderRefused, _records.RefuseOrder(order, why));
        return new OrderOutcome.Refused(why);
    }

    private Task<LedgerReceipt> DecideAsync(WaitingUpdate waiting, EgressDecision decision) =>
        _site.NoteAsync(EgressRecords.Decided, _records.Decide(waiting.Run, waiting.Round, waiting.Update, decision));
}

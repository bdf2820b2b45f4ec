using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Egress.Blind;
using FedSeg.Egress.Budget;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Faults;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress;

/// <summary>
/// The one way out of a hospital. An update is sealed before anyone looks, checked by every rule of the site's policy, noted in the ledger, decided upon, noted again,
/// and only then becomes a <see cref="ClearedUpdate"/>, the only thing the coordinator's client accepts. Without a ledger entry on the disk nothing is cleared: an
/// exception of the ledger is an answer too, and it means no.
/// </summary>
public sealed class EgressGate : IDisposable
{
    private readonly UpdateOutbox _outbox;
    private readonly UpdateSealer _sealer;
    private readonly EgressRecords _records;
    private readonly SiteRecord _site;
    private readonly CohortBudget _budget;
    private readonly PlanProof _proof;
    private readonly TimeProvider _time;
    private readonly Failpoints _failpoints;

    /// <param name="options">The site's settings.</param>
    /// <param name="ledger">The site's ledger, open for appending; it stays the caller's and gives the entries their time.</param>
    /// <param name="time">The same clock, for what is bounded per day.</param>
    /// <param name="random">Rounds weights up or down, cryptographic outside tests.</param>
    /// <param name="failpoints">Around the policy and the decision's entry in the ledger.</param>
    public EgressGate(EgressOptions options, LedgerWriter ledger, TimeProvider time, RandomNumberGenerator random, Failpoints failpoints)
    {
        _failpoints = failpoints;
        _time = time;
        _outbox = new UpdateOutbox(options.OutboxDirectory);
        _sealer = new UpdateSealer(options.Site, random);
        _records = new EgressRecords(options);
        _site = new SiteRecord(ledger);
        _proof = new PlanProof(options, time);
        _budget = new CohortBudget(options.DeskDirectory, cohort => _site.History(history => history.Charged(cohort)), time);
        Blind = new BlindGate(plan => Closed(out var policy) is null && Desk!.CharterOf(plan, policy!) is not CharterVerdict.Outside ? policy : null, masked => new ClearedUpdate(masked), _site, _outbox, _records);
        Desk = new ReviewDesk(options, _records, _site, _outbox, new DeskAccounts(options.DeskDirectory, time), _budget, time);
    }

    /// <summary>Where people decide what the gate may not decide by itself.</summary>
    public ReviewDesk Desk { get; }

    /// <summary>Masks what was approved for a blind round.</summary>
    public BlindGate Blind { get; }

    /// <summary>Whether a plan is to be believed, asked when it comes in. One that is not is noted in the ledger.</summary>
    /// <returns>Why not; <see langword="null"/> when it is.</returns>
    /// <exception cref="IOException">Disk or ledger refused.</exception>
    public async Task<PlanFlaw?> FindFlawAsync(SignedPlan handedOut) => (await ProveAsync(handedOut) as PlanOrigin.Unproven)?.Flaw;

    /// <summary>
    /// Takes a plan to approved, waiting or refused, after looking once more whether it is to be believed: it may have waited. Nothing is trained that is not approved: the trainer's host takes nothing else. Asked after <see
    /// cref="RecallAsync"/>, which gives back what a round has brought already.
    /// </summary>
    /// <exception cref="IOException">Disk or ledger refused; nothing is approved.</exception>
    public async Task<PlanOutcome> ApprovePlanAsync(SignedPlan handedOut)
    {
        using var turn = await _site.TakeTurnAsync(CancellationToken.None);
        await Desk.LookAtPolicyAsync();
        if (Closed(out var policy) is not null) return new PlanOutcome.Refused(RefusalReason.Other);
        var origin = await ProveAsync(handedOut);
        if (origin is PlanOrigin.Unproven { Flaw: var flaw }) return new PlanOutcome.Unproven(flaw);
        if (_site.History(history => history.RepetitionIn(handedOut.Plan)) is not { } repetition) return await Desk.DecideAsync((PlanOrigin.Proven)origin, policy!);
        await _site.NoteAsync(EgressRecords.RoundRefused, _records.RefuseRound(handedOut.Plan, repetition));
        return new PlanOutcome.Repeated(repetition);
    }

    /// <summary>Takes an update from the trainer's hands to cleared, waiting or refused. One call at a time.</summary>
    /// <param name="plan">The plan the agent accepted; what the update says is compared with it.</param>
    /// <param name="update">What the trainer delivered; its file may be deleted when this returns.</param>
    /// <param name="cancellationToken">Stops the sealing; what is decided stays decided.</param>
    /// <exception cref="IOException">Disk or ledger refused; nothing is cleared.</exception>
    /// <exception cref="LedgerCorruptException">The ledger is broken; nothing is cleared.</exception>
    public async Task<EgressOutcome> ClearAsync(RoundPlan plan, ModelUpdate update, CancellationToken cancellationToken)
    {
        using (await _site.TakeTurnAsync(CancellationToken.None)) await Desk.LookAtPolicyAsync();
        if (Closed(out var policy) is { } closed) return await RefuseAsync(plan, closed);

        var verdict = Desk.CharterOf(plan, policy!);
        policy = policy!.TightenedBy(plan.Egress).TightenedBy(verdict.Cover?.Charter);
        var folder = _outbox.BeginSealing();
        try
        {
            var (facts, sealedUpdate) = await Task.Run(() => _sealer.Seal(plan, update, policy!, folder, cancellationToken), cancellationToken);
            facts = Remember(facts, plan.Run) with { Charter = verdict, WithdrawnPatients = Desk.WithdrawnIn(plan) };
            facts = facts with { Budgets = [.. policy!.Budgets.Select(budget => _budget.Read(budget, facts.Privacy)).OfType<BudgetReading>()] };
            var report = _failpoints.Around(RoundSteps.Policy, () => EgressRules.Check(facts, policy));

            cancellationToken.ThrowIfCancellationRequested();
            // Stored before the approval is written: what the ledger calls approved can be sent after a crash.
            if (sealedUpdate is not null && report.Passed) sealedUpdate = _outbox.Store(folder, sealedUpdate, Summarise(plan, update.Report, policy!, facts, report));
            await _site.NoteAsync(EgressRecords.Requested, _records.Request(plan, policy, facts, sealedUpdate, report));
            var outcome = await DecideAsync(plan, sealedUpdate, facts, report, policy);
            // Stored, and then the site was halted, a charter or a patient withdrawn, a budget used up.
            if (outcome is EgressOutcome.Refused && sealedUpdate is not null) _outbox.Remove(sealedUpdate.Digest);
            return outcome;
        }
        finally
        {
            UpdateOutbox.Abandon(folder);
        }
    }

    /// <summary>Takes a notice to cleared or refused.</summary>
    /// <exception cref="IOException">Disk or ledger refused; nothing is cleared.</exception>
    public async Task<NoticeOutcome> ClearNoticeAsync(OutcomeNotice notice, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if ((Closed(out var policy) ?? OutsideCharter(notice, policy!)) is { } closed)
        {
            await _site.NoteAsync(EgressRecords.NoticeRefused, _records.Note(notice));
            return new NoticeOutcome.Refused(closed);
        }

        await _site.NoteAsync(EgressRecords.NoticeCleared, _records.Note(notice));
        return new NoticeOutcome.Cleared(new ClearedNotice(notice));
    }

    /// <summary>
    /// What became of a round's update at an earlier time, before a restart or while a person decided; <see langword="null"/> when there is none and the round is to be done.
    /// What the run's earlier rounds left behind is discarded: the coordinator has gone on without it.
    /// </summary>
    public async Task<EgressOutcome?> RecallAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        await DiscardAsync((run, round) => run == plan.Run && round < plan.Round, "the round has closed without it");
        var approved = await PendingAsync(cancellationToken);
        if (approved.FirstOrDefault(update => update.Run == plan.Run && update.Round == plan.Round && update.Task == plan.Task) is { } pending)
        {
            return new EgressOutcome.Cleared(pending, PolicyReport.DecidedBefore);
        }

        var (waiting, refusal) = _site.Book(book => (book.Find(plan.Run, plan.Round), book.RefusalOf(plan.Run, plan.Round)));
        if (waiting is not null) return new EgressOutcome.Waiting(waiting.Update, waiting.Until);
        return refusal is { } reason ? new EgressOutcome.RefusedInReview(reason) : null;
    }

    /// <summary>
    /// The updates that were approved and, as far as the ledger knows, not sent: to be sent again after a restart; the coordinator tells a repeated one by its digest.
    /// Everything else in the outbox but what waits for a person is removed, so call it before the first <see cref="ClearAsync"/>. Without a valid policy, or while the
    /// site is halted, nothing is given out and nothing removed.
    /// </summary>
    public async Task<IReadOnlyList<ClearedUpdate>> PendingAsync(CancellationToken cancellationToken)
    {
        if (Closed(out var policy) is not null) return [];

        var pending = new List<ClearedUpdate>();
        foreach (var (digest, run, _, charter) in Unsent())
        {
            if (Desk.CharterProblem(charter, policy!) is { } outside)
            {
                await DiscardAsync(digest, run, outside);
            }
            else if (await _outbox.FindAsync(digest, cancellationToken) is { } update)
            {
                pending.Add(new ClearedUpdate(update));
            }
            else
            {
                await _site.NoteAsync(EgressRecords.Discarded, _records.Discard(digest, run, "not as approved in the outbox"));
            }
        }

        _outbox.KeepOnly(pending.Select(update => update.Digest).Concat(_site.Book(book => book.Waiting.Select(waiting => waiting.Update).ToList())));
        return pending;
    }

    /// <summary>Notes that an update reached the coordinator, and removes it from the outbox.</summary>
    public async Task RecordSentAsync(ClearedUpdate update, SendReceipt receipt)
    {
        await _site.NoteAsync(EgressRecords.Sent, _records.Send(update, receipt));
        _outbox.Remove(update.Digest);
    }

    /// <summary>Notes that a notice reached the coordinator.</summary>
    public Task RecordSentAsync(ClearedNotice notice) => _site.NoteAsync(EgressRecords.NoticeSent, _records.Note(notice.Notice));

    /// <summary>Notes that an update did not reach the coordinator. It stays approved and in the outbox, unless its bytes changed.</summary>
    public async Task RecordFailedAsync(ClearedUpdate update, SendFailure failure)
    {
        await _site.NoteAsync(EgressRecords.Failed, _records.Fail(update, failure));
        if (failure == SendFailure.PayloadChanged) await DiscardAsync(update.Digest, update.Run, "payload changed after approval");
        if (failure == SendFailure.ExchangeEnded) await DiscardAsync(update.Digest, update.Run, "the blind exchange ended without it");
    }

    /// <summary>Notes that a notice did not reach the coordinator.</summary>
    public Task RecordFailedAsync(ClearedNotice notice, SendFailure failure) => _site.NoteAsync(EgressRecords.NoticeFailed, _records.Note(notice.Notice, failure));

    /// <summary>Removes what a run that has ended left unsent or undecided.</summary>
    public async Task DiscardRunAsync(RunId run)
    {
        await DiscardAsync((other, _) => other == run, "the run has ended");
        using var turn = await _site.TakeTurnAsync(CancellationToken.None);
        await Desk.WithdrawAsync(run, "the run has ended");
    }

    public void Dispose()
    {
        Desk.Dispose();
        _site.Dispose();
    }

    private async Task<PlanOrigin> ProveAsync(SignedPlan handedOut)
    {
        var origin = _proof.Of(handedOut);
        if (origin is PlanOrigin.Unproven unproven) await _site.NoteAsync(EgressRecords.PlanUnproven, _records.Doubt(handedOut.Plan, unproven));
        return origin;
    }

    private async Task<EgressOutcome> DecideAsync(RoundPlan plan, SealedUpdate? sealedUpdate, SealingFacts facts, PolicyReport report, EgressPolicy policy)
    {
        using var turn = await _site.TakeTurnAsync(CancellationToken.None);
        // Thrown, declined or withdrawn while the update was measured.
        if (Desk.Switch.IsThrown) return await RefuseAsync(plan, PolicyReport.Halted);
        if (report.Passed && Desk.CharterOf(plan, policy) is CharterVerdict.Outside { Problem: var outside }) return await RefuseAsync(plan, PolicyReport.OutsideCharter(outside));
        if (report.Passed && Desk.WithdrawnIn(plan) is not 0 and var withdrawn) return await RefuseAsync(plan, PolicyReport.WithWithdrawn(withdrawn));
        var decision = _site.Book(book => StandingAuthority.Decide(report, policy, book, plan.Run, _time.GetUtcNow()));
        if (decision is EgressDecision.Awaited { Until: var until } && sealedUpdate is not null)
        {
            await _site.NoteAsync(EgressRecords.ReviewRequested, _records.AskForReview(plan, sealedUpdate.Digest, policy.Review, until));
            return new EgressOutcome.Waiting(sealedUpdate.Digest, until);
        }

        if (decision is EgressDecision.Approved standing && sealedUpdate is not null)
        {
            // On the disk before the approval is: what can be sent is paid for.
            var (charged, refusal) = ReleaseCharge.Charge(_budget, policy, plan.Task, sealedUpdate.Digest, plan.Run, plan.Round, facts.Privacy);
            decision = refusal is null ? standing with { Budgets = charged } : new EgressDecision.Refused("privacy budget");
        }

        await _failpoints.AroundAsync(
            RoundSteps.Ledger, () => _site.NoteAsync(EgressRecords.Decided, _records.Decide(plan.Run, plan.Round, sealedUpdate?.Digest, decision)));
        return decision is EgressDecision.Approved && sealedUpdate is not null
            ? new EgressOutcome.Cleared(new ClearedUpdate(sealedUpdate), report)
            : new EgressOutcome.Refused(report);
    }

    private async Task<EgressOutcome> RefuseAsync(RoundPlan plan, PolicyReport report)
    {
        await _site.NoteAsync(EgressRecords.Requested, _records.Request(plan, policy: null, facts: null, update: null, report));
        await _site.NoteAsync(EgressRecords.Decided, _records.Decide(plan.Run, plan.Round, update: null, new EgressDecision.Refused("the site itself")));
        return new EgressOutcome.Refused(report);
    }

    private async Task DiscardAsync(Func<RunId, int, bool> which, string why)
    {
        using var turn = await _site.TakeTurnAsync(CancellationToken.None);
        var unsent = Unsent().Where(update => which(update.Run, update.Round)).Select(update => (update.Update, update.Run));
        var waiting = _site.Book(book => book.Waiting.Where(update => which(update.Run, update.Round)).Select(update => (update.Update, update.Run)).ToList());
        foreach (var (update, run) in unsent.Concat(waiting)) await DiscardAsync(update, run, why);
    }

    private async Task DiscardAsync(Sha256Digest update, RunId run, string why)
    {
        await _site.NoteAsync(EgressRecords.Discarded, _records.Discard(update, run, why));
        _outbox.Remove(update);
    }

    private SealingFacts Remember(SealingFacts facts, RunId run) => _site.History(history =>
        facts with { EarlierNorms = [.. history.Norms(run)], LastDay = history.LastDay(_time.GetUtcNow()), Halted = Desk.Switch.IsThrown });

    // Copied, because what is done about them changes it.
    private List<UnsentUpdate> Unsent() => _site.History(history => history.Unsent.ToList());

    private ReviewSummary Summarise(RoundPlan plan, SiteReport measured, EgressPolicy policy, SealingFacts facts, PolicyReport report) => new()
    {
        Plan = plan,
        SealedBy = typeof(EgressGate).Assembly.GetName().Version!.ToString(3),
        Patients = Desk.PatientsIn(plan),
        MinimumReportedCount = policy.MinimumReportedCount,
        Measured = measured with { Fingerprint = null },
        Rules = report.Rules,
        Tensors = _site.History(history => facts.Tensors
            .Select((tensor, place) => tensor with { Earlier = history.TensorNorms(plan.Run, place) }).ToImmutableArray()),
        Norm = facts.Norm ?? 0,
        EarlierNorms = [.. facts.EarlierNorms],
        Privacy = facts.Privacy,
        Budgets = [.. facts.Budgets],
        MaximumNorm = policy.MaximumNorm,
        MaximumUpdateBytes = policy.MaximumUpdateBytes,
    };

    /// <summary>Why a run's code may not leave. That people of this hospital said no, or have yet to say something, tells nothing about patients.</summary>
    private PolicyReport? OutsideCharter(OutcomeNotice notice, EgressPolicy policy)
    {
        if (notice.Reason is null or DropReason.PlanRefused or DropReason.RefusedInReview or DropReason.ReviewExpired or DropReason.SitePaused) return null;
        return Desk.CharterProblem(_site.Book(book => book.CharterOf(notice.Run)), policy) is { } problem ? PolicyReport.OutsideCharter(problem) : null;
    }

    /// <summary>Why nothing at all may leave; <see langword="null"/> when the policy says what may.</summary>
    private PolicyReport? Closed(out EgressPolicy? policy)
    {
        policy = Desk.Policy;
        if (Desk.Switch.IsThrown) return PolicyReport.Halted;
        return policy is null ? PolicyReport.WithoutPolicy : null;
    }
}

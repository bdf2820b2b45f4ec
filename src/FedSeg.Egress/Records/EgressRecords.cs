using System.Globalization;
using System.Text;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;

namespace FedSeg.Egress.Records;

/// <summary>
/// The gate's ledger entries: which facts each of them holds. Every value is an id, a digest, a number or a word of the gate's own; none comes out of a file.
/// </summary>
internal sealed class EgressRecords(EgressOptions options)
{
    public const string Requested = "egressRequested";
    public const string Decided = "egressDecided";
    public const string Sent = "egressSent";
    public const string Failed = "egressFailed";
    public const string Discarded = "egressDiscarded";
    public const string NoticeCleared = "noticeCleared";
    public const string NoticeRefused = "noticeRefused";
    public const string NoticeSent = "noticeSent";
    public const string NoticeFailed = "noticeFailed";
    public const string ReviewRequested = "reviewRequested";
    public const string ReviewApproved = "reviewApproved";
    public const string PlanRequested = "planRequested";
    public const string PlanApprovedOnce = "planApprovedOnce";
    public const string PlanDecided = "planDecided";
    public const string PlanWithdrawn = "planWithdrawn";
    public const string PlanUnproven = "planUnproven";
    public const string PlanSignedAgain = "planSignedAgain";
    public const string RoundOrdered = "roundOrdered";
    public const string PolicyRequested = "policyRequested";
    public const string PolicyApprovedOnce = "policyApprovedOnce";
    public const string PolicyAdopted = "policyAdopted";
    public const string PolicyRefused = "policyRefused";
    public const string PolicyWithdrawn = "policyWithdrawn";
    public const string CharterImported = "charterImported";
    public const string CharterAcceptedOnce = "charterAcceptedOnce";
    public const string CharterAccepted = "charterAccepted";
    public const string CharterDeclined = "charterDeclined";
    public const string PlanOutsideCharter = "planOutsideCharter";
    public const string OrderRefused = "orderRefused";
    public const string Paused = "sitePaused";
    public const string Resumed = "siteResumed";
    public const string Halted = "siteHalted";
    public const string LiftAsked = "haltLiftAsked";
    public const string Lifted = "haltLifted";
    public const string LocalSignIn = "localSignIn";
    public const string AuthorityFollowed = "authorityFollowed";
    public const string Successor = "successor";

    public const string Masked = "egressMasked";
    public const string BlindStepCleared = "blindStepCleared";
    public const string BlindStepRefused = "blindStepRefused";
    public const string BlindAborted = "blindAborted";
    public const string RoundRefused = "roundRefused";

    public const string PatientWithdrawn = "patientWithdrawn";
    public const string StudyLeft = "studyLeft";
    public const string Patient = "patient";
    public const string BaseModel = "baseModel";
    public const string Study = "study";
    public const string Charter = "charter";
    public const string Version = "version";
    public const string PlainUpdate = "plainUpdate";
    public const string Update = "update";
    public const string Norm = "norm";
    public const string TensorNorms = "tensorNorms";
    public const string PayloadBytes = "payloadBytes";
    public const string Run = "run";
    public const string Round = "round";
    public const string Task = "task";
    public const string Policy = "policy";
    public const string Changes = "changes";
    public const string TakeTwo = "twoPeople";
    public const string Decision = "decision";
    public const string ApprovedDecision = "approved";
    public const string By = "by";
    public const string Person = "person";
    public const string Order = "order";
    public const string Reason = "reason";
    public const string Standing = "standing";
    public const string NextRounds = "nextRounds";
    public const string Until = "until";
    public const string Terms = "terms";
    public const string SignedBy = "signedBy";
    public const string SignedUntil = "signedUntil";
    public const string SignedPlan = "signedPlan";
    public const string SamplingRate = "privacy.samplingRate";
    public const string NoiseMultiplier = "privacy.noiseMultiplier";
    public const string NoisedSteps = "privacy.steps";
    public const string Delta = "privacy.delta";
    public const string Epsilon = "privacy.epsilon";
    public const string Why = "why";
    public const string Receipt = "receipt";
    public const string AcceptedReceipt = "accepted";
    public const string Cohort = "cohort";
    public const string StudyPrefix = "study.";
    public const string Members = "members";
    public const string PatientPrivacy = "patientPrivacy";
    public const string NoPrivacy = "none";

    private const string WaitsForReview = "waitsForReview";

    // Room for some three thousand tensors; an entry has to fit 64 KiB.
    private const int LongestTensorNorms = 1 << 15;

    /// <summary>What wants to leave, and what every rule found.</summary>
    public Dictionary<string, string> Request(RoundPlan plan, EgressPolicy? policy, SealingFacts? facts, SealedUpdate? update, PolicyReport report)
    {
        var entry = About(plan.Run, plan.Round);
        entry[Task] = Word(plan.Task);
        entry["plan"] = Sha256Digest.Of(plan.ToBytes()).ToString();
        entry[BaseModel] = plan.BaseModel.ToString();
        entry[Policy] = policy?.Hash.ToString() ?? "none";
        if (plan.Study is { } study) entry[Study] = study.ToString();
        if (facts?.Charter.Cover is { } cover) entry[Charter] = cover.Hash.ToString();
        foreach (var rule in report.Rules)
        {
            entry["rule." + Word(rule.Rule)] = $"{(rule.Passed ? "passed" : "failed")}: {rule.Measured} (allowed: {rule.Limit})";
        }

        if (facts is not null)
        {
            entry["trainingCases"] = Number(facts.TrainingCases);
            entry["heldBackCases"] = Number(facts.HeldBackCases);
        }

        if (facts?.Privacy is { } privacy)
        {
            entry[SamplingRate] = privacy.SamplingRate.ToString("R", CultureInfo.InvariantCulture);
            entry[NoiseMultiplier] = privacy.NoiseMultiplier.ToString("R", CultureInfo.InvariantCulture);
            entry[NoisedSteps] = Number(privacy.Steps);
            entry[Delta] = privacy.Delta.ToString("R", CultureInfo.InvariantCulture);
            entry[Epsilon] = privacy.Epsilon.ToString("R", CultureInfo.InvariantCulture);
        }

        if (update is null) return entry;
        entry[Update] = update.Digest.ToString();
        entry["reportSha256"] = Sha256Digest.Of(update.ReportBytes.Span).ToString();
        entry["reportBytes"] = Number(update.ReportBytes.Length);
        if (update.Payload is not { } payload) return entry;
        entry["payloadSha256"] = payload.Sha256.ToString();
        entry[PayloadBytes] = Number(payload.Bytes);
        entry["encoding"] = Word(plan.Recipe.UpdateEncoding) + (plan.Recipe.ErrorFeedback ? " with error feedback" : "");
        entry["float32Bytes"] = Number(plan.UpdateBytesInFloat32());
        if (facts?.Norm is { } norm) entry[Norm] = norm.ToString("R", CultureInfo.InvariantCulture);
        if (facts is not null && NormsOf(facts.Tensors) is { Length: <= LongestTensorNorms } norms) entry[TensorNorms] = norms;
        entry["manifest"] = ManifestHash(plan).ToString();
        return entry;
    }

    /// <summary>What was decided, by whom, and on whose order.</summary>
    public Dictionary<string, string> Decide(RunId run, int round, Sha256Digest? update, EgressDecision decision)
    {
        var entry = About(run, round);
        if (update is not null) entry[Update] = update.ToString()!;
        switch (decision)
        {
            case EgressDecision.Approved approved:
                (entry[Decision], entry[By]) = (ApprovedDecision, approved.By);
                if (approved.Order is not null) entry[Order] = approved.Order;
                if (approved.People is not null) entry[Person] = approved.People;
                if (approved.NextRounds > 0) entry[NextRounds] = Number(approved.NextRounds);
                if (approved is { NextRounds: > 0, StandsUntil: { } end }) entry[Until] = end.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
                if (approved.IsStanding) entry[Standing] = "used";
                foreach (var (index, budget) in approved.Budgets.Index())
                {
                    // The cohort's, and beside it the study's; the study's stands alone where the hospital sets none.
                    var prefix = index == 0 ? "" : StudyPrefix;
                    entry[prefix + Cohort] = budget.Cohort;
                    entry[prefix + "epsilonBefore"] = budget.Spent.ToString("R", CultureInfo.InvariantCulture);
                    entry[prefix + "epsilonAfter"] = budget.After!.Value.ToString("R", CultureInfo.InvariantCulture);
                    entry[prefix + "epsilonMaximum"] = budget.MaximumEpsilon.ToString("R", CultureInfo.InvariantCulture);
                }

                return entry;
            case EgressDecision.Refused refused:
                (entry[Decision], entry[By]) = ("refused", refused.By);
                if (refused.Reason is { } reason) entry[Reason] = Word(reason);
                if (refused.Order is not null) entry[Order] = refused.Order;
                return entry;
            default:
                throw new InvalidOperationException($"{decision.GetType().Name} is not a decision.");
        }
    }

    /// <summary>A person has to decide, and until when.</summary>
    public Dictionary<string, string> AskForReview(RoundPlan plan, Sha256Digest update, ReviewMode mode, DateTimeOffset until) => new(About(plan.Run, plan.Round))
    {
        [Update] = update.ToString(),
        ["mode"] = StandingAuthority.NameOf(mode),
        [Until] = Moment(until),
    };

    /// <summary>The first of two people approved.</summary>
    public Dictionary<string, string> ApproveFirst(WaitingUpdate waiting, DeskOrder.Approve order, Approver giver) => new(About(waiting.Run, waiting.Round))
    {
        [Update] = waiting.Update.ToString(),
        [By] = order.By,
        [Person] = giver.Person.ToString(),
        [Order] = order.Id,
        [NextRounds] = Number(order.NextRounds),
    };

    /// <summary>A run wants to train here, and a person has to decide.</summary>
    public Dictionary<string, string> AskForPlan(
        RoundPlan plan, Sha256Digest terms, PlanSigner signer, CharterVerdict.Covered? cover, string why, DateTimeOffset until) =>
        Signed(signer, new(AboutTerms(plan.Run, terms, cover)) { [Why] = why, [Until] = Moment(until) });

    /// <summary>A plan that waits came signed anew.</summary>
    public Dictionary<string, string> SignAgain(WaitingPlan waiting, PlanSigner signer) => Signed(signer, AboutTerms(waiting.Run, waiting.Terms));

    /// <summary>A round is begun: who ordered it.</summary>
    public Dictionary<string, string> OrderRound(PlanOrigin.Proven proven, Sha256Digest terms) => Signed(proven.Signer, new(About(proven.Plan.Run, proven.Plan.Round))
    {
        ["plan"] = Sha256Digest.Of(proven.Plan.ToBytes()).ToString(),
        [Terms] = terms.ToString(),
    });

    /// <summary>A plan that is not to be believed: nothing of it is shown, approved or trained.</summary>
    public Dictionary<string, string> Doubt(RoundPlan plan, PlanOrigin.Unproven unproven)
    {
        var entry = About(plan.Run, plan.Round);
        entry["plan"] = Sha256Digest.Of(plan.ToBytes()).ToString();
        entry[Why] = Word(unproven.Flaw);
        if (unproven.Shown is { } shown) entry["shownCertificate"] = shown.ToString();
        return entry;
    }

    /// <summary>The first of two people approved a run's terms.</summary>
    public Dictionary<string, string> ApprovePlanFirst(WaitingPlan waiting, DeskOrder order, Approver giver) =>
        new(AboutTerms(waiting.Run, waiting.Terms)) { [By] = order.By, [Person] = giver.Person.ToString(), [Order] = order.Id };

    /// <summary>What was decided about a run's terms.</summary>
    public Dictionary<string, string> DecidePlan(
        RunId run, PlanDecision decision, string? order, string? people = null, CharterVerdict.Covered? cover = null)
    {
        var entry = Signed(decision.Signer, AboutTerms(run, decision.Terms, cover));
        (entry[Decision], entry[By]) = (decision.IsApproved ? ApprovedDecision : "refused", decision.By);
        if (decision.Reason is { } reason) entry[Reason] = Word(reason);
        if (decision.Policy is { } policy) entry[Policy] = policy.ToString();
        if (people is not null) entry[Person] = people;
        if (order is not null) entry[Order] = order;
        return entry;
    }

    /// <summary>Terms that need no decision any more.</summary>
    public Dictionary<string, string> WithdrawPlan(WaitingPlan waiting, string why) => new(AboutTerms(waiting.Run, waiting.Terms)) { [Why] = why };

    /// <summary>A run that no charter covers: nothing is trained for it.</summary>
    public Dictionary<string, string> LeaveOut(RoundPlan plan, string problem)
    {
        var entry = About(plan.Run, plan.Round);
        if (plan.Study is { } study) entry[Study] = study.ToString();
        entry[Why] = problem;
        return entry;
    }

    /// <summary>A round that this site answers no second time.</summary>
    public Dictionary<string, string> RefuseRound(RoundPlan plan, string problem) => new(About(plan.Run, plan.Round))
    {
        ["plan"] = Sha256Digest.Of(plan.ToBytes()).ToString(),
        [Why] = problem,
    };

    /// <summary>A signed charter was brought here.</summary>
    public Dictionary<string, string> ImportCharter(SignedCharter signed, DeskOrder.ImportCharter order, Approver giver) =>
        new(AboutCharter(signed.Hash, signed.Charter.Study, signed.Charter.Version))
        {
            ["expires"] = signed.Charter.Expires.ToString("O", CultureInfo.InvariantCulture),
            ["signatureSha256"] = Sha256Digest.Of(signed.Signature.Span).ToString(),
            [By] = order.By,
            [Person] = giver.Person.ToString(),
            [Order] = order.Id,
        };

    /// <summary>People accepted a charter, all it takes or the first of two.</summary>
    public Dictionary<string, string> AnswerCharter(SiteCharter charter, DeskOrder order, IReadOnlyCollection<Approver> givers) =>
        new(AboutCharter(charter.Charter, charter.Study, charter.Version))
        {
            [By] = string.Join(" and ", givers.Select(giver => giver.By)),
            [Person] = string.Join(" and ", givers.Select(giver => giver.Person)),
            [Order] = order.Id,
        };

    /// <summary>A person declined it, or took back what was accepted.</summary>
    public Dictionary<string, string> DeclineCharter(SiteCharter charter, DeskOrder.DeclineCharter order, Approver giver) =>
        new(AnswerCharter(charter, order, [giver])) { [Reason] = Word(order.Reason) };

    /// <summary>A patient withdrew; only this site can tell who it is.</summary>
    public Dictionary<string, string> Withdraw(DeskOrder.WithdrawPatient order, Approver giver, int rounds) =>
        new(Obey(order, giver)) { [Patient] = order.Patient.ToString(), ["rounds"] = Number(rounds) };

    /// <summary>This site takes part in a study no longer.</summary>
    public Dictionary<string, string> Leave(DeskOrder.LeaveStudy order, Approver giver, int runs) =>
        new(Obey(order, giver)) { [Study] = order.Study.ToString(), ["runs"] = Number(runs) };

    /// <summary>Another authority counts at this site, beside its former until the overlap ends.</summary>
    public Dictionary<string, string> Follow(Sha256Digest former, Sha256Digest successor, DateTimeOffset until) => new()
    {
        ["site"] = options.Site.ToString(),
        ["former"] = former.ToString(),
        [Successor] = successor.ToString(),
        [Until] = until.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
    };

    /// <summary>A policy, by its hash.</summary>
    public Dictionary<string, string> AboutPolicy(Sha256Digest policy) => new() { ["site"] = options.Site.ToString(), [Policy] = policy.ToString() };

    /// <summary>A changed policy waits for two people.</summary>
    public Dictionary<string, string> AskForPolicy(Sha256Digest policy, DateTimeOffset until) =>
        new(AboutPolicy(policy)) { [Until] = Moment(until) };

    /// <summary>The first of two people agreed to it.</summary>
    public Dictionary<string, string> ApprovePolicyFirst(DeskOrder.ApprovePolicy order, Approver giver) =>
        new(AboutPolicy(order.Policy)) { [By] = order.By, [Person] = giver.Person.ToString(), [Order] = order.Id };

    /// <summary>A policy holds from now on, with what it allows patients' data to tell: the cap that a raise of the budget changes.</summary>
    public Dictionary<string, string> AdoptPolicy(EgressPolicy policy, PolicyChanges changes, string by, string? people, string? order)
    {
        var entry = AboutPolicy(policy.Hash);
        entry[Changes] = Word(changes);
        entry[By] = by;
        if (people is not null) entry[Person] = people;
        if (order is not null) entry[Order] = order;
        if (policy.PrivacyBudget is { } budget) entry["epsilonMaximum"] = budget.MaximumEpsilon.ToString("R", CultureInfo.InvariantCulture);
        return entry;
    }

    /// <summary>It does not.</summary>
    public Dictionary<string, string> RefusePolicy(Sha256Digest policy, string by, string? order)
    {
        var entry = AboutPolicy(policy);
        entry[By] = by;
        if (order is not null) entry[Order] = order;
        return entry;
    }

    /// <summary>An order about the site as a whole.</summary>
    public Dictionary<string, string> Obey(DeskOrder order, Approver giver) => new(Given(order)) { [Person] = giver.Person.ToString() };

    /// <summary>An order that was not obeyed.</summary>
    public Dictionary<string, string> RefuseOrder(DeskOrder order, string why) =>
        new(Given(order)) { ["kind"] = char.ToLowerInvariant(order.GetType().Name[0]) + order.GetType().Name[1..], [Why] = why };

    public Dictionary<string, string> Send(ClearedUpdate update, SendReceipt receipt) =>
        new(Closing(update)) { [Receipt] = Word(receipt), [PayloadBytes] = Number(update.PayloadBytes) };

    public Dictionary<string, string> Fail(ClearedUpdate update, SendFailure failure) => new(Closing(update)) { ["code"] = Word(failure) };

    /// <summary>An approved update that will not be sent any more.</summary>
    public Dictionary<string, string> Discard(Sha256Digest update, RunId run, string why) =>
        new() { ["site"] = options.Site.ToString(), [Run] = run.ToString(), [Update] = update.ToString(), [Why] = why };

    public Dictionary<string, string> Note(OutcomeNotice notice) => new(About(notice.Run, notice.Round)) { [Reason] = notice.Reason is { } reason ? Word(reason) : WaitsForReview };

    public Dictionary<string, string> Note(OutcomeNotice notice, SendFailure failure) => new(Note(notice)) { ["code"] = Word(failure) };

    /// <summary>A message of a blind exchange: keys, encrypted shares or signatures.</summary>
    public Dictionary<string, string> Step(RoundPlan plan, SumStage stage, ReadOnlySpan<byte> message) => new(About(plan.Run, plan.Round))
    {
        ["stage"] = Word(stage),
        ["messageSha256"] = Sha256Digest.Of(message).ToString(),
        ["messageBytes"] = Number(message.Length),
    };

    /// <summary>An approved update that leaves masked: what was approved and what leaves in its place.</summary>
    public Dictionary<string, string> Mask(RoundPlan plan, ClearedUpdate plain, SealedUpdate masked, SumClient client) =>
        new(About(plan.Run, plan.Round))
    {
        [PlainUpdate] = plain.Digest.ToString(),
        ["plainSha256"] = plain.PayloadSha256!.Value.ToString(),
        [Update] = masked.Digest.ToString(),
        ["payloadSha256"] = masked.Payload!.Sha256.ToString(),
        [PayloadBytes] = Number(masked.Payload.Bytes),
        ["form"] = "masked",
        ["sites"] = Number(client.MaskedSites),
        ["roster"] = Convert.ToHexStringLower(client.RosterDigest.Span),
        [BaseModel] = plan.BaseModel.ToString(),
        [Members] = string.Join(',', plan.Blind!.Sites),
        [PatientPrivacy] = plan.Recipe.Privacy is null ? NoPrivacy : "noised",
    };

    /// <summary>Why the site ended its part in a blind exchange.</summary>
    public Dictionary<string, string> Abort(RoundPlan plan, SumAbort abort)
    {
        var entry = About(plan.Run, plan.Round);
        entry["reason"] = Word(abort.Reason);
        if (abort.Site is { } site) entry["about"] = site.ToString();
        return entry;
    }

    private Dictionary<string, string> Given(DeskOrder order) => new() { ["site"] = options.Site.ToString(), [By] = order.By, [Order] = order.Id };

    private Dictionary<string, string> Closing(ClearedUpdate update) => new(About(update.Run, update.Round)) { [Update] = update.Digest.ToString() };

    private static Dictionary<string, string> Signed(PlanSigner signer, Dictionary<string, string> entry)
    {
        (entry[SignedBy], entry[SignedUntil], entry[SignedPlan]) = (signer.Certificate.ToString(), Moment(signer.Until), signer.Evidence.ToString());
        return entry;
    }

    private Dictionary<string, string> AboutTerms(RunId run, Sha256Digest terms, CharterVerdict.Covered? cover = null)
    {
        var entry = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["site"] = options.Site.ToString(),
            ["recipient"] = options.Recipient,
            [Run] = run.ToString(),
            [Terms] = terms.ToString(),
        };
        if (cover is not null) (entry[Study], entry[Charter]) = (cover.Charter.Study.ToString(), cover.Hash.ToString());
        return entry;
    }

    private Dictionary<string, string> AboutCharter(Sha256Digest charter, StudyId study, int version) => new(StringComparer.Ordinal)
    {
        ["site"] = options.Site.ToString(),
        [Study] = study.ToString(),
        [Charter] = charter.ToString(),
        [Version] = Number(version),
    };

    private Dictionary<string, string> About(RunId run, int round) => new(StringComparer.Ordinal)
    {
        ["site"] = options.Site.ToString(),
        ["recipient"] = options.Recipient,
        [Run] = run.ToString(),
        [Round] = Number(round),
    };

    /// <summary>SHA-256 over one line per declared tensor: name and shape.</summary>
    private static Sha256Digest ManifestHash(RoundPlan plan) =>
        Sha256Digest.Of(Encoding.UTF8.GetBytes(string.Concat(plan.UpdateManifest().All.Tensors.Select(tensor => tensor + "\n"))));

    /// <summary>In the manifest's order, as finely as people compare them.</summary>
    private static string NormsOf(IEnumerable<TensorMeasures> tensors) =>
        string.Join(' ', tensors.Select(tensor => tensor.Norm.ToString("G3", CultureInfo.InvariantCulture)));

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Word<T>(T value)
        where T : struct, Enum =>
        Enum.IsDefined(value) ? char.ToLowerInvariant(value.ToString()[0]) + value.ToString()[1..] : throw new ArgumentOutOfRangeException(nameof(value), value, "Not a known code.");
}

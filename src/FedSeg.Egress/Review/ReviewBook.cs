using System.Globalization;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Review;

/// <summary>
/// The desk as the site's ledger knows it: what waits, what people let stand, whether the site is paused or halted. Folded from the entries and kept nowhere else, so a
/// restart forgets nothing, and the officer's page sees in a process of its own what the agent sees. Not safe for use by several threads at once.
/// </summary>
public sealed class ReviewBook
{
    private readonly List<WaitingUpdate> _waiting = [];
    private readonly Dictionary<RunId, StandingApproval> _standing = [];
    private readonly Dictionary<(RunId Run, int Round), RefusalReason> _refused = [];
    private readonly List<WaitingPlan> _waitingPlans = [];
    private readonly Dictionary<Sha256Digest, PlanDecision> _plans = [];
    private readonly Dictionary<RunId, DateTimeOffset> _approvedByPeople = [];
    private readonly HashSet<Sha256Digest> _successors = [];
    private readonly HashSet<string> _orders = [];
    private readonly Dictionary<Sha256Digest, SealedEntry> _requested = [];
    private readonly List<SiteCharter> _charters = [];
    private readonly Dictionary<RunId, Sha256Digest> _chartersOfRuns = [];
    private readonly Dictionary<RunId, StudyId> _studiesOfRuns = [];
    private readonly HashSet<StudyId> _leftStudies = [];
    private readonly HashSet<Sha256Digest> _withdrawn = [];
    private readonly HashSet<Sha256Digest> _refusedPolicies = [];
    private long _folded;

    /// <summary>What waits for a person, oldest first.</summary>
    public IReadOnlyList<WaitingUpdate> Waiting => _waiting;

    /// <summary>Runs whose terms wait for a person, oldest first.</summary>
    public IReadOnlyList<WaitingPlan> WaitingPlans => _waitingPlans;

    /// <summary>The charters that were brought here, oldest first.</summary>
    public IReadOnlyList<SiteCharter> Charters => _charters;

    /// <summary>Patients who withdrew, by their pseudonym.</summary>
    public IReadOnlyCollection<Sha256Digest> Withdrawn => _withdrawn;

    /// <summary>Runs of studies that this site has left.</summary>
    public IEnumerable<RunId> LeftRuns => _studiesOfRuns.Where(run => _leftStudies.Contains(run.Value)).Select(run => run.Key);

    /// <summary>The terms approved last before some others, to compare with; <see langword="null"/> when none were.</summary>
    public PlanDecision? LastApprovedPlan => _plans.Values.Where(decision => decision.IsApproved).MaxBy(decision => decision.At);

    /// <summary>What people let stand, by run.</summary>
    public IReadOnlyDictionary<RunId, StandingApproval> Standing => _standing;

    /// <summary>The policy that holds; <see langword="null"/> while none has asked for two people: then the file does.</summary>
    public HeldPolicy? HeldPolicy { get; private set; }

    /// <summary>A changed policy that waits for two people; <see langword="null"/> when none does.</summary>
    public WaitingPolicy? WaitingPolicy { get; private set; }

    /// <summary>Whether a person paused the site.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>The kill switch; <see langword="null"/> while it is not thrown.</summary>
    public SiteHalt? Halt { get; private set; }

    /// <summary>Reads what the ledger has gained since the last time.</summary>
    /// <exception cref="LedgerCorruptException">The ledger is broken: nothing it says may be acted on.</exception>
    public void CatchUp(LedgerReader ledger)
    {
        foreach (var entry in ledger.Entries(_folded))
        {
            Fold(entry);
            _folded = entry.Seq + 1;
        }
    }

    public WaitingUpdate? Find(Sha256Digest update) => _waiting.Find(waiting => waiting.Update == update);

    public WaitingUpdate? Find(RunId run, int round) => _waiting.Find(waiting => waiting.Run == run && waiting.Round == round);

    public WaitingPlan? FindPlan(Sha256Digest terms) => _waitingPlans.Find(waiting => waiting.Terms == terms);

    public SiteCharter? FindCharter(Sha256Digest charter) => _charters.Find(known => known.Charter == charter);

    /// <summary>
    /// The charter that a study is held to: the accepted one, else the last that was brought here; <see langword="null"/> when none ever was.
    /// </summary>
    public SiteCharter? CharterOf(StudyId study) =>
        _charters.Find(known => known.Study == study && known.State == CharterState.Accepted) ?? _charters.FindLast(known => known.Study == study);

    /// <summary>The charter under which a run was last let in here; <see langword="null"/> when it was under none.</summary>
    public Sha256Digest? CharterOf(RunId run) => _chartersOfRuns.TryGetValue(run, out var charter) ? charter : null;

    /// <summary>Whether this site has left a study, and has not accepted a charter of it since.</summary>
    public bool HasLeft(StudyId study) => _leftStudies.Contains(study);

    /// <summary>The runs of a study that were ever heard of here.</summary>
    public IEnumerable<RunId> RunsOf(StudyId study) => _studiesOfRuns.Where(run => run.Value == study).Select(run => run.Key);

    /// <summary>What was decided about a run's terms; <see langword="null"/> when nothing was.</summary>
    public PlanDecision? DecisionOn(Sha256Digest terms) => _plans.GetValueOrDefault(terms);

    public StandingApproval? StandingFor(RunId run) => _standing.GetValueOrDefault(run);

    /// <summary>Why a person, or the lack of one, let a round's update not leave; <see langword="null"/> when none did.</summary>
    public RefusalReason? RefusalOf(RunId run, int round) => _refused.TryGetValue((run, round), out var reason) ? reason : null;

    /// <summary>When people last let something of this run leave beside its fingerprint; <see langword="null"/> when they never did.</summary>
    public DateTimeOffset? LastApprovedByAPerson(RunId run) => _approvedByPeople.TryGetValue(run, out var at) ? at : null;

    /// <summary>Whether people, or the lack of them, said no to a policy.</summary>
    public bool IsRefused(Sha256Digest policy) => _refusedPolicies.Contains(policy);

    /// <summary>Whether it is noted that this authority follows another one here.</summary>
    public bool Followed(Sha256Digest successor) => _successors.Contains(successor);

    /// <summary>Whether an order was dealt with.</summary>
    public bool Knows(string order) => _orders.Contains(order);

    private void Fold(LedgerEntry entry)
    {
        if (entry.Facts.TryGetValue(EgressRecords.Order, out var order)) _orders.Add(order);
        if (entry.Facts.ContainsKey(EgressRecords.Study) && entry.Facts.ContainsKey(EgressRecords.Run)) _studiesOfRuns[RunOf(entry)] = StudyOf(entry);
        if (CharterIn(entry) is { } of && entry.Facts.ContainsKey(EgressRecords.Run)) _chartersOfRuns[RunOf(entry)] = of;
        switch (entry.Action)
        {
            case EgressRecords.Requested when entry.Facts.ContainsKey(EgressRecords.Update):
                _requested[UpdateOf(entry)] = new SealedEntry(
                    entry.Seq, Enum.Parse<RoundTask>(entry.Facts[EgressRecords.Task], ignoreCase: true), PolicyOf(entry), PrivacyIn(entry), CharterIn(entry));
                break;
            case EgressRecords.ReviewRequested:
                // The same bits may be put before the desk again.
                _waiting.RemoveAll(waiting => waiting.Update == UpdateOf(entry));
                _waiting.Add(Wait(entry, UpdateOf(entry)));
                break;
            case EgressRecords.ReviewApproved when Find(UpdateOf(entry)) is { } waiting:
                _waiting[_waiting.IndexOf(waiting)] = waiting with { ApprovedBy = waiting.ApprovedBy.Add(ApproverIn(entry)), NextRounds = NextOf(entry) };
                break;
            case EgressRecords.Decided when entry.Facts.ContainsKey(EgressRecords.Update):
                Decide(entry);
                break;
            case EgressRecords.Sent or EgressRecords.Discarded:
                Forget(UpdateOf(entry));
                break;
            case EgressRecords.PlanRequested:
                _waitingPlans.RemoveAll(waiting => waiting.Terms == TermsOf(entry));
                _waitingPlans.Add(new WaitingPlan(TermsOf(entry), RunOf(entry), entry.Time, UntilOf(entry), entry.Facts[EgressRecords.Why], SignerIn(entry)));
                break;
            case EgressRecords.PlanSignedAgain when FindPlan(TermsOf(entry)) is { } waiting:
                _waitingPlans[_waitingPlans.IndexOf(waiting)] = waiting with { Signer = SignerIn(entry) };
                break;
            case EgressRecords.PlanApprovedOnce when FindPlan(TermsOf(entry)) is { } waiting:
                _waitingPlans[_waitingPlans.IndexOf(waiting)] = waiting with { ApprovedBy = waiting.ApprovedBy.Add(ApproverIn(entry)) };
                break;
            case EgressRecords.PlanDecided:
                _plans[TermsOf(entry)] = DecisionIn(entry);
                _waitingPlans.RemoveAll(waiting => waiting.Terms == TermsOf(entry));
                break;
            case EgressRecords.PlanWithdrawn:
                _waitingPlans.RemoveAll(waiting => waiting.Terms == TermsOf(entry));
                break;
            case EgressRecords.PolicyRequested:
                WaitingPolicy = new WaitingPolicy(PolicyOf(entry), entry.Time, UntilOf(entry));
                break;
            case EgressRecords.PolicyApprovedOnce when WaitingPolicy is { } waiting && waiting.Policy == PolicyOf(entry):
                WaitingPolicy = waiting with { ApprovedBy = waiting.ApprovedBy.Add(ApproverIn(entry)) };
                break;
            case EgressRecords.PolicyAdopted:
                HeldPolicy = new HeldPolicy(PolicyOf(entry), entry.Facts[EgressRecords.Changes] == EgressRecords.TakeTwo, entry.Facts[EgressRecords.By], entry.Time);
                WaitingPolicy = null;
                _refusedPolicies.Clear();
                break;
            case EgressRecords.PolicyRefused:
                _refusedPolicies.Add(PolicyOf(entry));
                WaitingPolicy = null;
                break;
            case EgressRecords.PolicyWithdrawn:
                WaitingPolicy = null;
                break;
            case EgressRecords.CharterImported:
                _charters.RemoveAll(known => known.Charter == CharterIn(entry));
                _charters.Add(new SiteCharter(CharterIn(entry)!.Value, StudyOf(entry), NumberOf(entry, EgressRecords.Version), entry.Time, CharterState.Waiting));
                break;
            case EgressRecords.CharterAcceptedOnce:
                Change(entry, known => known with { AcceptedBy = known.AcceptedBy.Add(ApproverIn(entry)) });
                break;
            case EgressRecords.CharterAccepted:
                foreach (var (index, known) in _charters.Index().ToList())
                {
                    if (known.Study == StudyOf(entry) && known.State == CharterState.Accepted) _charters[index] = known with { State = CharterState.Replaced };
                }

                _leftStudies.Remove(StudyOf(entry));
                Change(entry, known => known with { State = CharterState.Accepted, By = entry.Facts[EgressRecords.By], At = entry.Time });
                break;
            case EgressRecords.CharterDeclined:
                Change(entry, known => known with { State = CharterState.Declined, By = entry.Facts[EgressRecords.By], At = entry.Time });
                break;
            case EgressRecords.PatientWithdrawn:
                _withdrawn.Add(Sha256Digest.Parse(entry.Facts[EgressRecords.Patient]));
                break;
            case EgressRecords.StudyLeft:
                Leave(entry);
                break;
            case EgressRecords.AuthorityFollowed:
                _successors.Add(Sha256Digest.Parse(entry.Facts[EgressRecords.Successor]));
                break;
            case EgressRecords.Paused:
                IsPaused = true;
                break;
            case EgressRecords.Resumed:
                IsPaused = false;
                break;
            case EgressRecords.Halted:
                Halt = new SiteHalt(entry.Facts[EgressRecords.By], entry.Time, LiftAskedBy: null);
                break;
            case EgressRecords.LiftAsked:
                Halt = Halt! with { LiftAskedBy = ApproverIn(entry) };
                break;
            case EgressRecords.Lifted:
                Halt = null;
                break;
        }
    }

    private WaitingUpdate Wait(LedgerEntry entry, Sha256Digest update) => new(
        update,
        RunId.Parse(entry.Facts[EgressRecords.Run]),
        int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture),
        _requested[update].Task,
        entry.Time,
        UntilOf(entry),
        _requested[update].Entry) { Privacy = _requested[update].Privacy, Charter = _requested[update].Charter };

    private void Leave(LedgerEntry entry)
    {
        _leftStudies.Add(StudyOf(entry));
        foreach (var (index, known) in _charters.Index().ToList())
        {
            if (known.Study != StudyOf(entry) || known.State is not (CharterState.Waiting or CharterState.Accepted)) continue;
            _charters[index] = known with { State = CharterState.Declined, By = entry.Facts[EgressRecords.By], At = entry.Time };
        }
    }

    private void Change(LedgerEntry entry, Func<SiteCharter, SiteCharter> change)
    {
        var place = _charters.FindIndex(known => known.Charter == CharterIn(entry));
        if (place >= 0) _charters[place] = change(_charters[place]);
    }

    private void Decide(LedgerEntry entry)
    {
        var update = UpdateOf(entry);
        var run = RunId.Parse(entry.Facts[EgressRecords.Run]);
        if (entry.Facts[EgressRecords.Decision] == EgressRecords.ApprovedDecision)
        {
            // Who lets a fingerprint go has seen no update yet.
            if (entry.Facts.ContainsKey(EgressRecords.Order) && _requested[update].Task != RoundTask.Fingerprint) _approvedByPeople[run] = entry.Time;
            if (NextOf(entry) is > 0 and var next) _standing[run] = new StandingApproval(entry.Facts[EgressRecords.By], next, _requested[update].Policy, UntilOf(entry));
            if (entry.Facts.ContainsKey(EgressRecords.Standing) && _standing.TryGetValue(run, out var used)) Use(run, used);
        }
        else if (entry.Facts.TryGetValue(EgressRecords.Reason, out var reason))
        {
            _refused[(run, int.Parse(entry.Facts[EgressRecords.Round], CultureInfo.InvariantCulture))] = Enum.Parse<RefusalReason>(reason, ignoreCase: true);
        }

        Forget(update);
    }

    private void Use(RunId run, StandingApproval standing)
    {
        if (standing.RoundsLeft > 1) _standing[run] = standing with { RoundsLeft = standing.RoundsLeft - 1 };
        else _standing.Remove(run);
    }

    private void Forget(Sha256Digest update)
    {
        _waiting.RemoveAll(waiting => waiting.Update == update);
        _requested.Remove(update);
    }

    /// <summary>Entries of before people had ids name an account only.</summary>
    private static Approver ApproverIn(LedgerEntry entry)
    {
        var by = entry.Facts[EgressRecords.By];
        return new Approver(by, entry.Facts.TryGetValue(EgressRecords.Person, out var person) ? DeskPerson.Parse(person) : DeskPerson.OfAccount(by));
    }

    private static Sha256Digest UpdateOf(LedgerEntry entry) => Sha256Digest.Parse(entry.Facts[EgressRecords.Update]);

    private static Sha256Digest TermsOf(LedgerEntry entry) => Sha256Digest.Parse(entry.Facts[EgressRecords.Terms]);

    private static Sha256Digest PolicyOf(LedgerEntry entry) => Sha256Digest.Parse(entry.Facts[EgressRecords.Policy]);

    private static Sha256Digest? CharterIn(LedgerEntry entry) =>
        entry.Facts.TryGetValue(EgressRecords.Charter, out var charter) ? Sha256Digest.Parse(charter) : null;

    private static StudyId StudyOf(LedgerEntry entry) => StudyId.Parse(entry.Facts[EgressRecords.Study]);

    private static RunId RunOf(LedgerEntry entry) => RunId.Parse(entry.Facts[EgressRecords.Run]);

    private static DateTimeOffset UntilOf(LedgerEntry entry) => DateTimeOffset.Parse(entry.Facts[EgressRecords.Until], CultureInfo.InvariantCulture);

    private static PlanSigner SignerIn(LedgerEntry entry) => new(
        Sha256Digest.Parse(entry.Facts[EgressRecords.SignedBy]),
        DateTimeOffset.Parse(entry.Facts[EgressRecords.SignedUntil], CultureInfo.InvariantCulture),
        Sha256Digest.Parse(entry.Facts[EgressRecords.SignedPlan]));

    private static PlanDecision DecisionIn(LedgerEntry entry) => new(
        TermsOf(entry),
        entry.Facts[EgressRecords.Decision] == EgressRecords.ApprovedDecision,
        entry.Facts[EgressRecords.By],
        entry.Time,
        entry.Facts.TryGetValue(EgressRecords.Reason, out var reason) ? Enum.Parse<RefusalReason>(reason, ignoreCase: true) : null,
        entry.Facts.TryGetValue(EgressRecords.Policy, out var policy) ? Sha256Digest.Parse(policy) : null,
        SignerIn(entry));

    private static PrivacySpent? PrivacyIn(LedgerEntry entry) => entry.Facts.ContainsKey(EgressRecords.SamplingRate)
        ? new PrivacySpent(
            Real(entry, EgressRecords.SamplingRate), Real(entry, EgressRecords.NoiseMultiplier), (int)Real(entry, EgressRecords.NoisedSteps), Real(entry, EgressRecords.Delta), Real(entry, EgressRecords.Epsilon))
        : null;

    private static double Real(LedgerEntry entry, string name) => double.Parse(entry.Facts[name], CultureInfo.InvariantCulture);

    private static int NextOf(LedgerEntry entry) => entry.Facts.ContainsKey(EgressRecords.NextRounds) ? NumberOf(entry, EgressRecords.NextRounds) : 0;

    private static int NumberOf(LedgerEntry entry, string name) => int.Parse(entry.Facts[name], CultureInfo.InvariantCulture);

    /// <summary>What the entry about a sealed update said.</summary>
    private sealed record SealedEntry(long Entry, RoundTask Task, Sha256Digest Policy, PrivacySpent? Privacy, Sha256Digest? Charter);
}

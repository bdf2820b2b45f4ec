using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.Federation.Charters;

/// <summary>
/// What the hospitals of a study agreed on before any of them trains for it: why, who takes part, who receives what leaves, how much it may tell, until when. Written as
/// YAML (<see cref="CharterFile"/>), signed by the federation's authority (<see cref="SignedCharter"/>), accepted by each hospital's own people. Its canonical JSON is what
/// is hashed and signed.
/// </summary>
public sealed record StudyCharter
{
    public required StudyId Study { get; init; }

    /// <summary>1 for the first; a changed charter has a higher one and is accepted anew.</summary>
    public required int Version { get; init; }

    public required string Title { get; init; }

    /// <summary>What the model is for, in the words of who is responsible.</summary>
    public required string Purpose { get; init; }

    /// <summary>On what ground patients' data are processed.</summary>
    public required string LegalBasis { get; init; }

    /// <summary>The hospitals that take part, in ordinal order.</summary>
    public required ImmutableArray<SiteId> Sites { get; init; }

    /// <summary>Who receives what leaves a hospital.</summary>
    public required ImmutableArray<CharterRecipient> Recipients { get; init; }

    /// <summary>Whether recipients see each hospital's change or only the sum.</summary>
    public required CharterMode Mode { get; init; }

    /// <summary>What all runs together may tell about one patient; absent where training is not differentially private.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CharterPrivacy? Privacy { get; init; }

    /// <summary>The runs that are covered.</summary>
    public required PlanBounds Bounds { get; init; }

    /// <summary>Whether it takes two different people of a hospital to accept it, to approve a run of it, to let an update of it leave, and to change the hospital's policy.</summary>
    public required bool FourEyes { get; init; }

    /// <summary>The last day, UTC, on which anything may leave for the study.</summary>
    public required DateOnly Expires { get; init; }

    /// <summary>What records have to say and no machine knows; absent where the authors left it open.</summary>
    public CharterRecords Records { get; init; } = new();

    /// <summary>SHA-256 of <see cref="ToBytes"/>.</summary>
    [JsonIgnore]
    public Sha256Digest Hash => Sha256Digest.Of(ToBytes());

    /// <summary>The canonical bytes: UTF-8 JSON, properties in declaration order.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <summary>Whether its last day is over.</summary>
    public bool HasExpired(DateTimeOffset now) => DateOnly.FromDateTime(now.UtcDateTime) > Expires;

    /// <summary>Where somebody who receives what leaves a site is not one that the charter names; <see langword="null"/> when they are.</summary>
    public string? RecipientProblem(string address) => Recipients.Any(recipient => recipient.IsAt(address))
        ? null
        : $"this hospital sends to {address}, which the charter does not name as a recipient";

    /// <summary>Where a run leaves the charter, in words; empty when it does not.</summary>
    public IReadOnlyList<string> Problems(RoundPlan plan)
    {
        var problems = ProblemsBesideSites(plan);
        if (plan.Blind is { } blind && blind.Sites.Except(Sites).Any()) problems.Add("a hospital that is not one of the study's");
        return problems;
    }

    /// <summary>
    /// Where the run of a job would leave it, every mistake, in words. A network that is yet to be planned is asked about when it is: with
    /// <see cref="JobSpec.With"/>.
    /// </summary>
    public IReadOnlyList<string> Problems(JobSpec job)
    {
        var problems = ProblemsBesideSites(job.PlanRound(RunId.Parse("run-of-the-job"), job.Architecture.IsToBePlanned ? 0 : 1, Sha256Digest.Of([]), 0));
        if (job.Architecture.IsToBePlanned && Privacy is { } bound) problems.AddRange(bound.Problems(job.Recipe.Privacy));
        problems.AddRange(job.Sites.Except(Sites).Select(site => $"'{site}' is not one of the study's hospitals: {string.Join(", ", Sites)}"));
        return problems;
    }

    private List<string> ProblemsBesideSites(RoundPlan plan)
    {
        var problems = new List<string>(Bounds.Problems(plan));
        if (plan.Study != Study) problems.Add($"a run of another study than {Study}");
        if (Mode == CharterMode.Inspectable && plan.Blind is not null) problems.Add("a blind run; only inspectable ones are agreed on");
        if (Privacy is { } bound && plan.Task == RoundTask.Train) problems.AddRange(bound.Problems(plan.Recipe.Privacy));
        return problems;
    }
}

/// <summary>What the recipients of updates see.</summary>
public enum CharterMode
{
    /// <summary>Only the sum of all hospitals' changes, by secure aggregation.</summary>
    Blind,

    /// <summary>Each hospital's change by itself.</summary>
    Inspectable,
}

/// <summary>Somebody who receives what leaves a hospital.</summary>
/// <param name="Organisation">Who that is.</param>
/// <param name="Country">Where the data are processed.</param>
/// <param name="Address">The coordinator's address, as agents dial it.</param>
public sealed record CharterRecipient(string Organisation, string Country, string Address)
{
    /// <summary>Whether an agent that dials this address sends to them.</summary>
    public bool IsAt(string address) =>
        Uri.TryCreate(Address, UriKind.Absolute, out var own) && Uri.TryCreate(address, UriKind.Absolute, out var other) && own == other;
}

/// <summary>What the study may tell about one patient of a hospital, over all its runs.</summary>
/// <param name="MaximumEpsilon">ε that is never exceeded.</param>
/// <param name="Delta">The largest δ at which it is counted.</param>
public sealed record CharterPrivacy(double MaximumEpsilon, double Delta)
{
    internal IEnumerable<string> Problems(PatientPrivacy? asked)
    {
        if (asked is null) yield return "training without differential privacy; the charter asks for it";
        else if (asked.Delta > Delta) yield return $"δ = {asked.Delta}; at most {Delta} is agreed on";
        if (asked?.Epsilon > MaximumEpsilon) yield return $"ε = {asked.Epsilon} for the run; at most {MaximumEpsilon} is agreed on";
    }
}

/// <summary>What records of the study have to say beside what is known from charter, policy and ledger. <see langword="null"/>: not said.</summary>
public sealed record CharterRecords
{
    /// <summary>Who decides why and how, and how they are reached.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Controllers { get; init; }

    /// <summary>Whose data.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DataSubjects { get; init; }

    /// <summary>Which data.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DataCategories { get; init; }

    /// <summary>When they are erased.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Retention { get; init; }

    /// <summary>Transfers to third countries and the safeguards for them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Transfers { get; init; }
}

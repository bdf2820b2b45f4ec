using System.Collections.Immutable;
using System.Text.Json.Serialization;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Jobs;

/// <summary>What a data scientist asks for: a whole federated run, in declarations only. Read from YAML by <see cref="JobSpecReader"/>.</summary>
public sealed record JobSpec
{
    /// <summary>Shares and masked updates; half a step more, so that the last one's own patience ends first.</summary>
    private const double BlindStepsAfterTraining = 2.5;

    /// <summary>A short name for people, 1 to 40 of <c>a-z 0-9 -</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The research study it is for, which says who may see and steer it, and whose runs share one share of the sites' time; absent for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StudyId? Study { get; init; }

    /// <summary>How large that share is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public JobPriority Priority { get; init; }

    /// <summary>Whose share it is: the study's, and without one that of all jobs of its name.</summary>
    [JsonIgnore]
    public string Share => Study is { } study ? $"study {study}" : $"job {Name}";

    /// <summary>The hospitals asked to take part, in ordinal order.</summary>
    public required ImmutableArray<SiteId> Sites { get; init; }

    /// <summary>Training rounds.</summary>
    public required int Rounds { get; init; }

    /// <summary>Labels in class order, from 1; as the sites' vocabularies name them.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    /// <summary>How network and input are planned from the sites' fingerprints; absent where the job names them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PlanningSpec? Planning { get; init; }

    /// <summary>The network; <see cref="ArchitectureSpec.ToBePlanned"/> until it is planned.</summary>
    public required ArchitectureSpec Architecture { get; init; }

    public required PreprocessingSpec Preprocessing { get; init; }

    public required TrainingRecipe Recipe { get; init; }

    /// <summary>How the coordinator merges updates.</summary>
    public required AggregationSpec Aggregation { get; init; }

    /// <summary>Asks for blind rounds; absent for inspectable ones.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BlindOptions? Blind { get; init; }

    /// <summary>Fewest sites whose updates make a round.</summary>
    public required int Quorum { get; init; }

    /// <summary>Sites without whose update no training round closes, in ordinal order.</summary>
    public ImmutableArray<SiteId> RequiredSites { get; init; } = [];

    /// <summary>Fewest training cases that the updates of a round stand for together.</summary>
    public long MinimumCasesPerRound { get; init; }

    /// <summary>How long a round waits for all its sites, minutes.</summary>
    public required double RoundDeadlineMinutes { get; init; }

    /// <summary>How much longer it waits for what it can't close without, minutes.</summary>
    public double GraceMinutes { get; init; }

    /// <summary>Share of each site's patients that is never trained on.</summary>
    public required double HeldBackFraction { get; init; }

    /// <summary>Fewest training cases with which a site takes part.</summary>
    public required int MinimumCases { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Bounds for what leaves the sites, beside their own; absent for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EgressBounds? Egress { get; init; }

    /// <summary>
    /// Longest a round is waited for. A blind one waits for the sites' training as long as any other; the dealing of shares and the masked
    /// updates come on top.
    /// </summary>
    public TimeSpan LongestWaitFor(RoundPlan plan) =>
        TimeSpan.FromMinutes(RoundDeadlineMinutes + (plan.MasksUpdates ? BlindStepsAfterTraining * Blind!.StepMinutes : 0));

    /// <summary>The same job with the network, input and batches of a plan.</summary>
    /// <exception cref="PlanningException">The plan has no network of the name that the job asks for.</exception>
    public JobSpec With(TrainingPlan plan)
    {
        var chosen = Planning!.Choose(plan);
        return this with
        {
            Architecture = chosen.Architecture,
            Preprocessing = chosen.Preprocessing(plan),
            Recipe = Recipe with { BatchSize = chosen.BatchSize, BatchDice = chosen.BatchDice },
        };
    }

    /// <summary>Freezes one round of this job.</summary>
    /// <param name="run">The run's id.</param>
    /// <param name="round">0 for fingerprints; 1 to <see cref="Rounds"/> to train; the next number to evaluate the last model.</param>
    /// <param name="baseModel">The model the round starts from.</param>
    /// <param name="baseModelBytes">Length of its file.</param>
    /// <param name="control">SCAFFOLD's control variate, where there is one.</param>
    /// <param name="plan">SHA-256 of the plan, where network and input come from one.</param>
    public RoundPlan PlanRound(
        RunId run, int round, Sha256Digest baseModel, long baseModelBytes, ModelRef? control = null, Sha256Digest? plan = null) => new()
    {
        Run = run,
        Study = Study,
        Round = round,
        TotalRounds = Rounds,
        Task = round == 0 ? RoundTask.Fingerprint : round <= Rounds ? RoundTask.Train : RoundTask.Evaluate,
        Architecture = Architecture,
        Labels = Labels,
        Preprocessing = Preprocessing,
        Recipe = Recipe,
        HeldBackFraction = HeldBackFraction,
        Seed = Seed,
        MinimumCases = MinimumCases,
        BaseModel = baseModel,
        BaseModelBytes = baseModelBytes,
        Control = round <= Rounds ? control : null,
        Planning = round == 0 ? Planning : null,
        TrainingPlan = plan,
        Egress = Egress,
        Blind = Blind is { } blind
            ? new BlindSpec { Sites = Sites, MaximumCases = blind.MaximumCases, GridExponent = BlindSpec.ExponentFor(blind.Range) }
            : null,
    };
}

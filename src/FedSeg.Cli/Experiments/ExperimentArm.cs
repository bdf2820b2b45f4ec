using FedSeg.Cli.Programs;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Experiments;

/// <summary>A row of the results: one way to train, everything else as in the others.</summary>
/// <param name="Name">As written after <c>--arms</c>.</param>
/// <param name="Title">As written in the table.</param>
/// <param name="Kind">Who trains on what.</param>
/// <param name="Change">What it changes in the job.</param>
internal sealed record ExperimentArm(string Name, string Title, ArmKind Kind, Func<JobSpec, JobSpec> Change)
{
    /// <summary>How many models answer as one: trainings of seeds that follow each other, or the last rounds of a federation.</summary>
    public int Members { get; init; } = 1;

    /// <summary>Whether its models are scored round by round until one is good enough.</summary>
    public bool TellsWhenEnough { get; init; }

    /// <summary>The arm whose training this one scores in another way; itself where it has one of its own.</summary>
    public string Training { get; init; } = Name;

    /// <summary>Every row there is, in the table's order.</summary>
    public static IReadOnlyList<ExperimentArm> All { get; } =
    [
        new("pooled", "pooled: all cases in one place, as many steps as all sites together", ArmKind.Pooled, job => job),
        new("pooled2", "pooled twice from other first weights, the two models answering as one", ArmKind.Pooled, job => job) { Members = 2, Training = "pooled" },
        new("local", "one site alone", ArmKind.Local, job => job),
        new("fedavg", "FedAvg", ArmKind.Global, job => job) { TellsWhenEnough = true },
        new("last5", "FedAvg, the last five rounds' models answering as one", ArmKind.Global, job => job) { Members = 5, Training = "fedavg" },
        new("fedprox", "FedProx, µ 0.01", ArmKind.Global, job => With(job, recipe => recipe with { Algorithm = new LocalAlgorithm.FedProx(0.01) })),
        new("scaffold", "SCAFFOLD", ArmKind.Global, job => With(job, recipe => recipe with { Algorithm = new LocalAlgorithm.Scaffold() })),
        new("fedbn", "FedBN: local instance norms, each site's own model", ArmKind.Personal,
            job => With(job, recipe => recipe with { Tensors = new TensorRules { KeepLocal = [TensorGroup.Normalisation] } })),
        new("ditto", "Ditto, λ 0.1, each site's own model", ArmKind.Personal, job => With(job, recipe => recipe with { Algorithm = new LocalAlgorithm.Ditto(0.1) })),
        new("keep", "FedAvg, optimiser state kept between rounds", ArmKind.Global,
            job => With(job, recipe => recipe with { OptimizerState = OptimizerState.Keep })),
        new("f16", "FedAvg, changes in half precision", ArmKind.Global, job => Encoded(job, UpdateEncoding.F16)),
        new("i8", "FedAvg, changes in one byte a weight", ArmKind.Global, job => Encoded(job, UpdateEncoding.I8)),
        new("i8ef", "FedAvg, changes in one byte a weight, error feedback", ArmKind.Global, job =>
            Encoded(job, UpdateEncoding.I8, errorFeedback: true)),
        new("top10", "FedAvg, the largest tenth of the changes, error feedback", ArmKind.Global, job =>
            Encoded(job, UpdateEncoding.Top10, errorFeedback: true)),
        new("top1", "FedAvg, the largest hundredth of the changes, error feedback", ArmKind.Global, job =>
            Encoded(job, UpdateEncoding.Top1, errorFeedback: true)),
        new("dp8", "FedAvg, private for every patient: ε 8 at δ 1e-3 a site", ArmKind.Global, job => Private(job, epsilon: 8)),
        new("dp3", "FedAvg, private for every patient: ε 3 at δ 1e-3 a site", ArmKind.Global, job => Private(job, epsilon: 3)),
    ];

    /// <summary>The rows somebody asked for.</summary>
    /// <exception cref="BadInputException">One of them is not there.</exception>
    public static IReadOnlyList<ExperimentArm> Choose(string? names)
    {
        if (names is null) return All;
        var asked = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var unknown = asked.FirstOrDefault(name => All.All(arm => arm.Name != name));
        if (unknown is not null || asked.Length == 0) throw new BadInputException($"--arms: '{unknown}' is not one of {Names}.");
        return [.. All.Where(arm => asked.Contains(arm.Name))];
    }

    /// <summary>Every name that <c>--arms</c> knows.</summary>
    public static string Names => string.Join(", ", All.Select(arm => arm.Name));

    private static JobSpec Encoded(JobSpec job, UpdateEncoding encoding, bool errorFeedback = false) =>
        With(job, recipe => recipe with { UpdateEncoding = encoding, ErrorFeedback = errorFeedback });

    /// <param name="job">The run.</param>
    /// <param name="epsilon">What it may cost a patient, all rounds together.</param>
    private static JobSpec Private(JobSpec job, double epsilon) => With(job, recipe => recipe with
    {
        Privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 8, PatchesPerPatient = 2, Delta = 1e-3, Epsilon = epsilon },
    });

    private static JobSpec With(JobSpec job, Func<TrainingRecipe, TrainingRecipe> change) => job with { Recipe = change(job.Recipe) };
}

/// <summary>Who trains, and which model is scored on whose held-back patients.</summary>
internal enum ArmKind
{
    /// <summary>One training on all sites' cases, scored on all held-back patients.</summary>
    Pooled,

    /// <summary>A training per site on its own cases; each scored on all held-back patients, and together each on its own.</summary>
    Local,

    /// <summary>A federation's global model, scored on all held-back patients.</summary>
    Global,

    /// <summary>A federation's personal models, each scored on its own site's held-back patients.</summary>
    Personal,
}

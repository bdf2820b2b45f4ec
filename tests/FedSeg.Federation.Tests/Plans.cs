using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests;

/// <summary>Small valid jobs and plans to start from.</summary>
internal static class Plans
{
    public static SiteId North { get; } = SiteId.Parse("north");

    public static SiteId East { get; } = SiteId.Parse("east");

    public static RunId Run { get; } = RunId.Parse("run-test-1");

    public static ModelRef InitialModel { get; } = new(Sha256Digest.Of("initial"u8), 1000);

    public static JobSpec Job(int rounds = 2, int quorum = 2, params SiteId[] sites) => new()
    {
        Name = "test",
        Sites = sites.Length == 0 ? [East, North] : [.. sites],
        Rounds = rounds,
        Labels = ["kidney"],
        Architecture = new ArchitectureSpec { Name = "unet3d", Classes = 2, BaseFeatures = 2, Levels = 2 },
        Preprocessing = new PreprocessingSpec { Modality = "MR", SpacingMm = [1, 1, 1], PatchVoxels = [8, 8, 8] },
        Recipe = new TrainingRecipe { StepsPerRound = 3, BatchSize = 2, Optimizer = OptimizerKind.AdamW, LearningRate = 0.01, WeightDecay = 0 },
        Aggregation = StrategyCatalog.Default(2),
        Quorum = quorum,
        RoundDeadlineMinutes = 1,
        HeldBackFraction = 0.2,
        MinimumCases = 1,
        Seed = 7,
    };

    /// <summary>The same job with a network that is still to be planned.</summary>
    public static JobSpec ToBePlanned(JobSpec job) => job with
    {
        Planning = new PlanningSpec { Preset = PlannerPresetName.Plain, LeastCases = 5 },
        Architecture = ArchitectureSpec.ToBePlanned(job.Labels.Length + 1),
        Preprocessing = PreprocessingSpec.ToBePlanned("MR"),
    };

    /// <summary>What a site with so many equal cases of 40 × 64 × 64 voxels would tell.</summary>
    public static SiteFingerprint Fingerprint(int cases, double spacingMm = 1)
    {
        var builder = new FingerprintBuilder("MR", ["kidney"]);
        for (var i = 0; i < cases; i++) builder.Add($"p{i}", [spacingMm, spacingMm, spacingMm], [40, 64, 64], 1, [0.5, 1]);
        return builder.Seal(5)!;
    }

    public static RoundPlan Plan(int round = 1) => Job().PlanRound(Run, round, InitialModel.Sha256, InitialModel.Bytes);

    public static SiteReport Report(SiteId site, int round, RoundPlan plan, int cases = 10) => new()
    {
        Run = Run,
        Round = round,
        Task = plan.Task,
        Site = site,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        TrainingCases = cases,
        HeldBackCases = 2,
        Steps = plan.Recipe.StepsPerRound,
        MeanLoss = 0.5,
        Scores = [new LabelScore("kidney", 0.8, 2)],
    };
}

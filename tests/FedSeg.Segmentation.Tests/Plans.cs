using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Segmentation.Tests;

internal static class Plans
{
    public static readonly ArchitectureSpec Small = new() { Name = "unet3d", Classes = 3, BaseFeatures = 4, Levels = 2 };

    public static TrainingRecipe Recipe(int steps = 4, double learningRate = 0.01, OptimizerKind optimizer = OptimizerKind.AdamW) => new()
    {
        StepsPerRound = steps,
        BatchSize = 2,
        Optimizer = optimizer,
        LearningRate = learningRate,
        WeightDecay = 3e-5,
        // The synthetic labels are told apart by their side alone.
        Mirroring = false,
    };

    public static RoundPlan Round(int round = 1, RoundTask task = RoundTask.Train, TrainingRecipe? recipe = null) => new()
    {
        Run = RunId.Parse("run-test"),
        Round = round,
        TotalRounds = 3,
        Task = task,
        Architecture = Small,
        Labels = [.. SyntheticCases.Labels],
        Preprocessing = SyntheticCases.Preprocessing(),
        Recipe = recipe ?? Recipe(),
        HeldBackFraction = 0.25,
        Seed = 7,
        MinimumCases = 1,
        BaseModel = Sha256Digest.Of("base"u8),
        BaseModelBytes = 1,
    };
}

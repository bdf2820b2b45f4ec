using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.SiteAgent.Tests;

/// <summary>A small plan that an agent of the labels kidney and tumour trains.</summary>
internal static class Plans
{
    public static string[] Labels { get; } = ["Kidney", "Tumour", "Spleen"];

    public static RoundPlan Good()
    {
        var architecture = new ArchitectureSpec { Name = "unet3d", Classes = 3, BaseFeatures = 2, Levels = 2 };
        return new RoundPlan
        {
            Run = RunId.Parse("run-test"),
            Round = 1,
            TotalRounds = 2,
            Task = RoundTask.Train,
            Architecture = architecture,
            Labels = ["kidney", "tumour"],
            Preprocessing = new PreprocessingSpec { Modality = "MR", SpacingMm = [1, 1, 1], PatchVoxels = [8, 8, 8] },
            Recipe = new TrainingRecipe { StepsPerRound = 3, BatchSize = 2, Optimizer = OptimizerKind.AdamW, LearningRate = 0.01, WeightDecay = 0 },
            HeldBackFraction = 0.2,
            Seed = 7,
            MinimumCases = 5,
            BaseModel = Sha256Digest.Of("base"u8),
            BaseModelBytes = ArchitectureCatalog.Manifest(architecture).PayloadBytes + 1000,
        };
    }
}

using System.Collections.Immutable;
using FedSeg.Federation.Rounds;
using FedSeg.Segmentation.Inference;

namespace FedSeg.Segmentation.Training;

/// <summary>One stretch of optimiser steps and where it lies in the whole training.</summary>
public sealed record TrainingSchedule
{
    public required TrainingRecipe Recipe { get; init; }

    /// <summary>Patch size, voxels, <c>[z, y, x]</c>.</summary>
    public required ImmutableArray<int> PatchVoxels { get; init; }

    /// <summary>Axes along which patches may be flipped: 0 z, 1 y, 2 x.</summary>
    public required ImmutableArray<int> MirroredAxes { get; init; }

    /// <summary>Steps of this stretch.</summary>
    public required int Steps { get; init; }

    /// <summary>Steps made before this stretch, in earlier rounds.</summary>
    public required long FirstStep { get; init; }

    /// <summary>Steps of the whole training; the learning rate reaches 0 behind the last one.</summary>
    public required long TotalSteps { get; init; }

    /// <summary>Seeds the draws of patches and augmentation; together with <see cref="FirstStep"/>, so that no two stretches draw the same.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What is trained: stretches of another purpose draw other patches.</summary>
    public string Purpose { get; init; } = "patches";

    /// <summary>The stretch of a round.</summary>
    /// <param name="plan">The round.</param>
    /// <param name="trainingCases">The site's training cases.</param>
    public static TrainingSchedule Of(RoundPlan plan, int trainingCases) => new()
    {
        Recipe = plan.Recipe,
        PatchVoxels = plan.Preprocessing.PatchVoxels,
        MirroredAxes = AxesOf(plan.Recipe, plan.Labels, plan.Preprocessing),
        Steps = plan.Recipe.StepsFor(trainingCases),
        FirstStep = (plan.Round - 1L) * plan.Recipe.StepsPerRound,
        TotalSteps = (long)plan.TotalRounds * plan.Recipe.StepsPerRound,
        Seed = plan.Seed,
    };

    /// <summary>Fine-tuning of the final model: a tenth of the run's first learning rate, falling to 0 over its own steps.</summary>
    public static TrainingSchedule FineTuning(RoundPlan plan) =>
        Whole(plan.Recipe with { LearningRate = plan.Recipe.LearningRate / 10 }, plan.Preprocessing, plan.Labels, plan.Recipe.FineTuneSteps, plan.Seed)
            with { Purpose = "fine-tuning" };

    /// <summary>The whole training in one stretch, of any number of steps.</summary>
    public static TrainingSchedule Whole(
        TrainingRecipe recipe, PreprocessingSpec preprocessing, ImmutableArray<string> labels, int steps, ulong seed) => new()
    {
        Recipe = recipe,
        PatchVoxels = preprocessing.PatchVoxels,
        MirroredAxes = AxesOf(recipe, labels, preprocessing),
        Steps = steps,
        FirstStep = 0,
        TotalSteps = steps,
        Seed = seed,
    };

    private static ImmutableArray<int> AxesOf(TrainingRecipe recipe, ImmutableArray<string> labels, PreprocessingSpec preprocessing) =>
        recipe.Mirroring ? Mirroring.AxesOf(labels, preprocessing) : [];
}

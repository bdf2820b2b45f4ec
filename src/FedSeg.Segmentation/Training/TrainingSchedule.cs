using System.Collections.Immutable;
using FedSeg.Federation.Rounds;

namespace FedSeg.Segmentation.Training;

/// <summary>One stretch of optimiser steps and where it lies in the whole training.</summary>
public sealed record TrainingSchedule
{
    public required TrainingRecipe Recipe { get; init; }

    /// <summary>Patch size, voxels, <c>[z, y, x]</c>.</summary>
    public required ImmutableArray<int> PatchVoxels { get; init; }

    /// <summary>Steps of this stretch.</summary>
    public required int Steps { get; init; }

    /// <summary>Steps made before this stretch, in earlier rounds.</summary>
    public required long FirstStep { get; init; }

    /// <summary>Steps of the whole training; the learning rate reaches 0 behind the last one.</summary>
    public required long TotalSteps { get; init; }

    /// <summary>Seeds the draws of patches and augmentation; together with <see cref="FirstStep"/>, so that no two stretches draw the same.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The stretch of a round.</summary>
    public static TrainingSchedule Of(RoundPlan plan) => new()
    {
        Recipe = plan.Recipe,
        PatchVoxels = plan.Preprocessing.PatchVoxels,
        Steps = plan.Recipe.StepsPerRound,
        FirstStep = (plan.Round - 1L) * plan.Recipe.StepsPerRound,
        TotalSteps = (long)plan.TotalRounds * plan.Recipe.StepsPerRound,
        Seed = plan.Seed,
    };

    /// <summary>The whole training in one stretch, of any number of steps.</summary>
    public static TrainingSchedule Whole(TrainingRecipe recipe, PreprocessingSpec preprocessing, int steps, ulong seed) => new()
    {
        Recipe = recipe,
        PatchVoxels = preprocessing.PatchVoxels,
        Steps = steps,
        FirstStep = 0,
        TotalSteps = steps,
        Seed = seed,
    };
}

using System.Collections.Immutable;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// A site's part of a round: score the base model on the held-back patients, train it on the others, write the change of its weights. Tensors that stay at the site
/// take the place of the base model's before anything is scored.
/// </summary>
public static class RoundWork
{
    /// <summary>Does the plan's task.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="cohort">This site's cases.</param>
    /// <param name="files">Where everything lies.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="stepped">Called after each optimiser step on the federation's model.</param>
    /// <param name="cancellationToken">Looked at before each step and window.</param>
    /// <param name="alive">Called after each window that was scored, on the same thread.</param>
    /// <param name="ownStepped">Called after each optimiser step on the site's own model.</param>
    /// <exception cref="SafetensorsException">The base model, the control variate or what the site kept is not the plan's.</exception>
    /// <exception cref="InvalidOperationException">The recipe keeps something at the site and there is no folder for it.</exception>
    public static RoundOutcome Run(
        RoundPlan plan,
        Cohort cohort,
        RoundFiles files,
        Device device,
        Action<TrainingStep>? stepped,
        CancellationToken cancellationToken,
        Action? alive = null,
        Action<TrainingStep>? ownStepped = null)
    {
        var state = files.State is { } folder ? new SiteState(folder, plan.Round) : null;
        if (state is null && Keeps(plan.Recipe)) throw new InvalidOperationException("This recipe keeps something at the site; name a folder for it.");

        using var network = ModelWeights.Open(files.Model, plan.Architecture, device);
        KeptTensors.Load(network, plan.Recipe.Tensors, state);
        var scores = Evaluation.Score(network, cohort.HeldBack, plan.Labels, plan.Preprocessing, device, cancellationToken, alive);
        var work = new SiteTraining(plan, cohort, files, state, network, device, alive, ownStepped);
        return plan.Task == RoundTask.Evaluate ? work.Close(scores, cancellationToken) : work.Train(scores, stepped, cancellationToken);
    }

    private static bool Keeps(TrainingRecipe recipe) =>
        recipe.Algorithm is LocalAlgorithm.Scaffold or LocalAlgorithm.Ditto || recipe.Tensors.KeepLocal.Length > 0 || recipe.OptimizerState == OptimizerState.Keep;
}

/// <summary>What came of a site's part of a round.</summary>
public abstract record RoundOutcome
{
    private RoundOutcome() { }

    /// <summary>The task is done; after training, the update is on disk.</summary>
    /// <param name="Steps">Optimiser steps made; 0 for an evaluation.</param>
    /// <param name="MeanLoss">Mean training loss; absent for an evaluation and for private training, whose loss must not leave.</param>
    /// <param name="Time">How long the steps took; absent for an evaluation.</param>
    /// <param name="Scores">Scores of the base model on the held-back cases, in label order.</param>
    public sealed record Done(int Steps, double? MeanLoss, TrainingTime? Time, ImmutableArray<LabelScore> Scores) : RoundOutcome
    {
        /// <summary>What the steps cost every patient, where the recipe is private.</summary>
        public PrivacySpent? Privacy { get; init; }

        /// <summary>How much the update looks like an image; absent where nothing was trained or nothing could be compared.</summary>
        public ImageSimilarity? Similarity { get; init; }

        /// <summary>Scores of the site's own model when the run closes; empty where there is none.</summary>
        public ImmutableArray<LabelScore> PersonalScores { get; init; } = [];
    }

    /// <summary>The loss or a weight became NaN or infinite at this step; no update was written.</summary>
    public sealed record NotFinite(int Step) : RoundOutcome;
}

using System.Collections.Immutable;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>A site's part of a round: score the base model on the held-back patients, train it on the others, write the change of its weights.</summary>
public static class RoundWork
{
    /// <summary>Does the plan's task.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="cohort">This site's cases.</param>
    /// <param name="modelPath">The base model.</param>
    /// <param name="updatePath">Where the change of the weights goes; not written for an evaluation or a failed training.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="stepped">Called after each optimiser step.</param>
    /// <exception cref="SafetensorsException">The base model is not the plan's.</exception>
    public static RoundOutcome Run(
        RoundPlan plan, Cohort cohort, string modelPath, string updatePath, Device device, Action<TrainingStep>? stepped, CancellationToken cancellationToken)
    {
        using var network = ModelWeights.Open(modelPath, plan.Architecture, device);
        var scores = Evaluation.Score(network, cohort.HeldBack, plan.Labels, plan.Preprocessing, device, cancellationToken);
        if (plan.Task == RoundTask.Evaluate) return new RoundOutcome.Done(Steps: 0, MeanLoss: null, scores);

        switch (Trainer.Train(network, cohort.Training, TrainingSchedule.Of(plan), device, stepped, cancellationToken))
        {
            case TrainingOutcome.Trained trained:
                ModelWeights.WriteDelta(updatePath, plan.Manifest(), network, modelPath);
                return new RoundOutcome.Done(trained.Steps, trained.MeanLoss, scores);
            case TrainingOutcome.NotFinite broken:
                return new RoundOutcome.NotFinite(broken.Step);
            case var other:
                throw new InvalidOperationException($"{other} is not handled.");
        }
    }
}

/// <summary>What came of a site's part of a round.</summary>
public abstract record RoundOutcome
{
    private RoundOutcome() { }

    /// <summary>The task is done; after training, the update is on disk.</summary>
    /// <param name="Steps">Optimiser steps made; 0 for an evaluation.</param>
    /// <param name="MeanLoss">Mean training loss; absent for an evaluation.</param>
    /// <param name="Scores">Scores of the base model on the held-back cases, in label order.</param>
    public sealed record Done(int Steps, double? MeanLoss, ImmutableArray<LabelScore> Scores) : RoundOutcome;

    /// <summary>The loss or a weight became NaN or infinite at this step; nothing was written.</summary>
    public sealed record NotFinite(int Step) : RoundOutcome;
}

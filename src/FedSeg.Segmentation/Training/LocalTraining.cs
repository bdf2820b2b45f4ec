using System.Collections.Immutable;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Training without a federation, by the same engine: pooled over sites or at one site alone. The honest baseline a federated model is compared with.
/// </summary>
public static class LocalTraining
{
    /// <summary>Trains from the initial model and writes the result as a model file; durable when this returns.</summary>
    /// <param name="request">What to train.</param>
    /// <param name="cohort">The cases, one site's or several sites' <see cref="Cohort.Pool"/>.</param>
    /// <param name="modelPath">The model file to write. Nothing is there, or what was there stays, until the training has ended well.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="stepped">Called after each optimiser step.</param>
    /// <exception cref="SafetensorsException">The initial model is not of the asked architecture.</exception>
    public static LocalTrainingOutcome Run(
        LocalTrainingRequest request, Cohort cohort, string modelPath, Device device, Action<TrainingStep>? stepped, CancellationToken cancellationToken)
    {
        var manifest = ArchitectureCatalog.Manifest(request.Architecture);
        using var network = OpenInitial(request, manifest, modelPath, device);
        var schedule = TrainingSchedule.Whole(request.Recipe, request.Preprocessing, request.Labels, request.Steps, request.Seed);
        switch (Trainer.Train(network, cohort.Training, schedule, device, stepped, cancellationToken))
        {
            case TrainingOutcome.Trained trained:
                var unfinished = modelPath + ".unfinished";
                ModelWeights.Write(unfinished, manifest, network, request.Metadata());
                File.Move(unfinished, modelPath, overwrite: true);
                return new LocalTrainingOutcome.Done(
                    trained.Steps,
                    trained.MeanLoss,
                    trained.Time,
                    Evaluation.Score(network, cohort.HeldBack, request.Labels, request.Preprocessing, device, cancellationToken));
            case TrainingOutcome.NotFinite broken:
                return new LocalTrainingOutcome.NotFinite(broken.Step);
            case var other:
                throw new InvalidOperationException($"{other} is not handled.");
        }
    }

    private static UNet OpenInitial(LocalTrainingRequest request, TensorManifest manifest, string modelPath, Device device)
    {
        if (request.InitialModelPath is { } given) return ModelWeights.Open(given, request.Architecture, device);
        var made = modelPath + ".initial";
        try
        {
            ModelInitializer.Write(made, manifest, request.Seed);
            return ModelWeights.Open(made, request.Architecture, device);
        }
        finally
        {
            File.Delete(made);
        }
    }
}

/// <summary>What to train without a federation.</summary>
public sealed record LocalTrainingRequest
{
    public required ArchitectureSpec Architecture { get; init; }

    /// <summary>Labels in class order, background left out.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    public required PreprocessingSpec Preprocessing { get; init; }

    /// <summary>Its <see cref="TrainingRecipe.StepsPerRound"/> has no meaning here.</summary>
    public required TrainingRecipe Recipe { get; init; }

    /// <summary>Optimiser steps; the learning rate decays over them.</summary>
    public required int Steps { get; init; }

    /// <summary>Seeds the draws and, without <see cref="InitialModelPath"/>, the first weights.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The model to start from; <see langword="null"/> for one made from the seed.</summary>
    public string? InitialModelPath { get; init; }

    /// <summary>SHA-256 of the file at <see cref="InitialModelPath"/>, for the result's metadata.</summary>
    public Sha256Digest? InitialModel { get; init; }

    internal ModelMetadata Metadata() => new()
    {
        Architecture = Architecture,
        Labels = Labels,
        Preprocessing = Preprocessing,
        Base = InitialModel,
    };
}

/// <summary>What came of training without a federation.</summary>
public abstract record LocalTrainingOutcome
{
    private LocalTrainingOutcome() { }

    /// <summary>The model is on disk.</summary>
    /// <param name="Steps">Steps made.</param>
    /// <param name="MeanLoss">Mean training loss.</param>
    /// <param name="Time">How long the steps took.</param>
    /// <param name="Scores">Scores of the trained model on the held-back cases, in label order.</param>
    public sealed record Done(int Steps, double MeanLoss, TrainingTime Time, ImmutableArray<LabelScore> Scores) : LocalTrainingOutcome;

    /// <summary>The loss or a weight became NaN or infinite at this step; no model was written.</summary>
    public sealed record NotFinite(int Step) : LocalTrainingOutcome;
}

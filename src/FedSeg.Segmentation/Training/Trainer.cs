using System.Diagnostics;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The training loop. On a CPU the same network, cases, schedule and number of threads give the same weights to the last bit.
/// Nothing in a step waits for the device but the reading of losses, which a GPU is asked for in bunches.
/// It blocks its thread and must run on one thread only: torch's dispose scopes belong to a thread.
/// </summary>
public static class Trainer
{
    private const double LargestGradientNorm = 12;
    private const int MostLoaderThreads = 8;

    /// <summary>Makes the schedule's steps on a network; the network's weights are what training leaves behind.</summary>
    /// <param name="network">A network with its starting weights, on <paramref name="device"/>.</param>
    /// <param name="cases">The training cases; at least one.</param>
    /// <param name="schedule">How many steps, at which learning rate, on which draws.</param>
    /// <param name="device">Where the network lies.</param>
    /// <param name="stepped">Called after each step.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    public static TrainingOutcome Train(
        UNet network,
        IReadOnlyList<PreparedCase> cases,
        TrainingSchedule schedule,
        Device device,
        Action<TrainingStep>? stepped,
        CancellationToken cancellationToken)
    {
        var weights = NamedWeights.Trained(network, schedule.Recipe.Tensors);
        using var optimizer = WeightOptimizer.Create(schedule.Recipe, weights);
        return Train(new Stretch(network, weights, optimizer, schedule), cases, device, stepped, cancellationToken);
    }

    /// <summary>The same with a local algorithm, a remembering optimiser or a checkpoint to go on from.</summary>
    internal static TrainingOutcome Train(
        Stretch stretch, IReadOnlyList<PreparedCase> cases, Device device, Action<TrainingStep>? stepped, CancellationToken cancellationToken)
    {
        var (schedule, optimizer) = (stretch.Schedule, stretch.Optimizer);
        var (done, lossSum) = stretch.Checkpoint?.Restore(stretch.Weights, optimizer, stretch.Term) ?? (0, 0);
        var started = Stopwatch.GetTimestamp();
        using var batches = new PatchLoader<PatchBatch>(new PatchSampler(cases, schedule).Batch, schedule.FirstStep + done, schedule.Steps - done, LoaderThreads(device));
        using var losses = stretch.Losses ?? PendingLosses.On(device);
        stretch.Network.train();

        var seen = done;
        for (var step = done + 1; step <= schedule.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var learningRate = PolyDecay.At(schedule.Recipe.LearningRate, schedule.FirstStep + step - 1, schedule.TotalSteps);
            var batch = batches.Take(cancellationToken);
            var (images, labels) = batch.ToTensors(device);
            optimizer.ZeroGradients();
            var outputs = stretch.Network.Outputs(images);
            var loss = DeepSupervision.Loss(outputs, labels, schedule.Recipe.BatchDice, drawn: batch.Drawn(outputs[0].shape[1], device));
            loss.backward();
            stretch.Term?.Add();
            GradientClipping.Clip(stretch.Weights, LargestGradientNorm);
            optimizer.Step(learningRate);

            losses.Add(loss);
            if (!losses.IsFull && step < schedule.Steps && stretch.Checkpoint?.IsDue(step) != true) continue;
            var values = losses.Take();
            if (Array.FindIndex(values, value => !float.IsFinite(value)) is >= 0 and var broken) return new TrainingOutcome.NotFinite(seen + broken + 1);
            foreach (var value in values) lossSum += value;
            stretch.Checkpoint?.Save(step, schedule.Steps, lossSum, stretch.Weights, optimizer, stretch.Term);
            foreach (var value in values) stepped?.Invoke(new TrainingStep(++seen, schedule.Steps, value));
        }

        return ModelWeights.AreFinite(stretch.Network)
            ? new TrainingOutcome.Trained(schedule.Steps, lossSum / schedule.Steps, new TrainingTime(Stopwatch.GetElapsedTime(started), batches.Waited))
            : new TrainingOutcome.NotFinite(schedule.Steps);
    }

    /// <summary>On a CPU every further thread would be taken from the network itself; a GPU leaves the cores idle.</summary>
    private static int LoaderThreads(Device device) =>
        device.type == DeviceType.CUDA ? Math.Clamp(Environment.ProcessorCount / 2, 1, MostLoaderThreads) : 1;
}

/// <summary>One stretch of training.</summary>
/// <param name="Network">The network, on its device.</param>
/// <param name="Weights">Those of its weights that are trained.</param>
/// <param name="Optimizer">Moves them; the caller's.</param>
/// <param name="Schedule">How many steps, at which learning rate, on which draws.</param>
internal sealed record Stretch(UNet Network, IReadOnlyList<NamedWeights> Weights, WeightOptimizer Optimizer, TrainingSchedule Schedule)
{
    /// <summary>What is added to each gradient; the caller's.</summary>
    public IGradientTerm? Term { get; init; }

    /// <summary>How losses are read; the device's own way where none is given.</summary>
    public PendingLosses? Losses { get; init; }

    /// <summary>Where the stretch can be taken up again.</summary>
    public TrainingCheckpoint? Checkpoint { get; init; }
}

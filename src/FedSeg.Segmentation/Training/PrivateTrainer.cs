using System.Collections.Immutable;
using System.Diagnostics;
using FedSeg.Federation.Training;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The training loop with privacy for every patient: one backward pass a patient, whose norm is bounded before anything else sees it. What the optimiser and the local
/// algorithm do comes after the noise and costs nothing. Who takes part and the noise are secret, so no seed repeats such a training.
/// </summary>
internal static class PrivateTrainer
{
    /// <summary>Makes the stretch's steps.</summary>
    /// <param name="stretch">What to train.</param>
    /// <param name="cases">The training cases, of any number of patients.</param>
    /// <param name="privacy">The recipe.</param>
    /// <param name="mechanism">Sampling rate and noise.</param>
    /// <param name="device">Where the network lies.</param>
    /// <param name="stepped">Called after each step, with the loss of the step's patients; it must not leave the site.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    public static TrainingOutcome Train(
        Stretch stretch,
        IReadOnlyList<PreparedCase> cases,
        PatientPrivacy privacy,
        PrivateMechanism mechanism,
        Device device,
        Action<TrainingStep>? stepped,
        CancellationToken cancellationToken)
    {
        var (schedule, optimizer) = (stretch.Schedule, stretch.Optimizer);
        var (done, lossSum) = stretch.Checkpoint?.Restore(stretch.Weights, optimizer, stretch.Term) ?? (0, 0);
        var gradient = new PrivateGradient(stretch.Weights, privacy.ClippingNorm);
        var patches = new PatchSampler(cases, schedule);
        var patients = new PatientSampler(cases, mechanism.SamplingRate);
        var started = Stopwatch.GetTimestamp();
        using var batches = new PatchLoader<ImmutableArray<PatchBatch>>(
            step => [.. patients.Draw().Select(patient => patches.OfPatient(patient, privacy.PatchesPerPatient, step))],
            schedule.FirstStep + done,
            schedule.Steps - done,
            threads: 1);
        stretch.Network.train();

        for (var step = done + 1; step <= schedule.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var batch = batches.Take(cancellationToken);
            var loss = batch.Sum(patient => AddPatient(stretch, optimizer, patient, gradient, device));
            using var scope = NewDisposeScope();
            gradient.Release(mechanism.NoiseMultiplier, Math.Min(privacy.ExpectedBatch, patients.Patients));
            stretch.Term?.Add();
            optimizer.Step(PolyDecay.At(schedule.Recipe.LearningRate, schedule.FirstStep + step - 1, schedule.TotalSteps));

            var value = batch.IsEmpty || !double.IsFinite(loss) ? 0 : loss / batch.Length;
            lossSum += value;
            stretch.Checkpoint?.Save(step, schedule.Steps, lossSum, stretch.Weights, optimizer, stretch.Term);
            stepped?.Invoke(new TrainingStep(step, schedule.Steps, value));
        }

        return ModelWeights.AreFinite(stretch.Network)
            ? new TrainingOutcome.Trained(schedule.Steps, lossSum / schedule.Steps, new TrainingTime(Stopwatch.GetElapsedTime(started), batches.Waited))
            : new TrainingOutcome.NotFinite(schedule.Steps);
    }

    private static double AddPatient(Stretch stretch, WeightOptimizer optimizer, PatchBatch patches, PrivateGradient gradient, Device device)
    {
        using var scope = NewDisposeScope();
        var (images, labels) = patches.ToTensors(device);
        optimizer.ZeroGradients();
        var outputs = stretch.Network.Outputs(images);
        var loss = DeepSupervision.Loss(outputs, labels, stretch.Schedule.Recipe.BatchDice, drawn: patches.Drawn(outputs[0].shape[1], device));
        loss.backward();
        gradient.AddPatient();
        return loss.item<float>();
    }
}

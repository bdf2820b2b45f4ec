using FedSeg.Federation.Rounds;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The training loop. On a CPU the same network, cases, schedule and number of threads give the same weights to the last bit.
/// It blocks its thread and must run on one thread only: torch's dispose scopes belong to a thread.
/// </summary>
public static class Trainer
{
    private const double LargestGradientNorm = 12;

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
        var parameters = network.parameters().ToArray();
        using var optimizer = WeightOptimizer.Create(schedule.Recipe, parameters);
        using var batches = new BatchQueue(new PatchSampler(cases, schedule), schedule.Steps);
        network.train();

        var lossSum = 0.0;
        for (var step = 1; step <= schedule.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var learningRate = PolyDecay.At(schedule.Recipe.LearningRate, schedule.FirstStep + step - 1, schedule.TotalSteps);
            var (images, labels) = batches.Take(cancellationToken).ToTensors(device);
            optimizer.ZeroGradients();
            var loss = DeepSupervision.Loss(network.Outputs(images), labels);
            loss.backward();
            nn.utils.clip_grad_norm_(parameters, LargestGradientNorm);
            optimizer.Step(learningRate);

            var value = (double)loss.item<float>();
            if (!double.IsFinite(value)) return new TrainingOutcome.NotFinite(step);
            lossSum += value;
            stepped?.Invoke(new TrainingStep(step, schedule.Steps, value));
        }

        return ModelWeights.AreFinite(network)
            ? new TrainingOutcome.Trained(schedule.Steps, lossSum / schedule.Steps)
            : new TrainingOutcome.NotFinite(schedule.Steps);
    }
}

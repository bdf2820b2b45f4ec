using System.Collections.Immutable;
using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Inference;

/// <summary>Scores a network on cases as a radiologist would: on the scanner's own grid, against the reference as it was read.</summary>
public static class Evaluation
{
    /// <summary>
    /// Mean Dice per label over cases. A case in which a label is neither in the reference nor predicted says nothing about it and is left
    /// out of that label's mean; <see cref="LabelScore.Cases"/> says how many remained.
    /// </summary>
    /// <param name="network">Gives logits of windows.</param>
    /// <param name="cases">Prepared as the network was trained.</param>
    /// <param name="labels">In class order.</param>
    /// <param name="preprocessing">As the cases were prepared.</param>
    /// <param name="device">Where the network lies.</param>
    /// <param name="cancellationToken">Looked at before each pair of windows.</param>
    /// <param name="windowDone">Called after each pair of windows: a large case can take an hour.</param>
    public static ImmutableArray<LabelScore> Score(
        Module<Tensor, Tensor> network,
        IReadOnlyCollection<PreparedCase> cases,
        IReadOnlyList<string> labels,
        PreprocessingSpec preprocessing,
        Device device,
        CancellationToken cancellationToken,
        Action? windowDone = null) =>
        Score(new NetworkAverage([network], mirroredAxes: []), cases, labels, preprocessing, device, cancellationToken, windowDone);

    /// <summary>The same for networks that answer as one.</summary>
    internal static ImmutableArray<LabelScore> Score(
        NetworkAverage networks,
        IReadOnlyCollection<PreparedCase> cases,
        IReadOnlyList<string> labels,
        PreprocessingSpec preprocessing,
        Device device,
        CancellationToken cancellationToken,
        Action? windowDone = null)
    {
        var sums = new double[labels.Count];
        var counts = new int[labels.Count];
        foreach (var entry in cases)
        {
            var prediction = Segment(
                networks, labels.Count + 1, entry.Prepared, preprocessing, device, _ => windowDone?.Invoke(), cancellationToken);
            var dice = DicePerLabel(prediction, entry.Reference, labels.Count);
            for (var i = 0; i < labels.Count; i++)
            {
                if (dice[i] is not { } value || entry.Undrawn.Contains((byte)(i + 1))) continue;
                sums[i] += value;
                counts[i]++;
            }
        }

        return [.. labels.Select((label, i) => new LabelScore(label, counts[i] == 0 ? null : sums[i] / counts[i], counts[i]))];
    }

    /// <summary>Dice of classes 1 to <paramref name="labels"/>; <see langword="null"/> where both are empty.</summary>
    public static double?[] DicePerLabel(LabelVolume prediction, LabelVolume reference, int labels) =>
    [
        .. DiceScore.PerLabel(reference.Labels, prediction.Labels, labels + 1)
            .Skip(1)
            .Select(dice => double.IsNaN(dice) ? (double?)null : dice),
    ];

    /// <summary>Segments one prepared image; the result lies on the grid of the image as it was read.</summary>
    internal static LabelVolume Segment(
        NetworkAverage networks,
        int classes,
        PreparedImage image,
        PreprocessingSpec preprocessing,
        Device device,
        Action<double>? progress,
        CancellationToken cancellationToken)
    {
        var patch = preprocessing.PatchVoxels;
        var window = new Index3(patch[0], patch[1], patch[2]);
        var labelling = image.StartLabelling(classes);
        SlidingWindow.Run(networks.Logits, classes, image.Input, window, device, labelling.Add, progress, cancellationToken);
        return image.ToScannerGrid(labelling.Finish());
    }
}

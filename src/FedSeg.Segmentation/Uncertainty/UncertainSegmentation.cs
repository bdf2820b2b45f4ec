using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Preprocessing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Uncertainty;

/// <summary>
/// A segmentation and how sure it is, voxel by voxel, on the scanner's grid. Members are the models, each on every mirror image that votes.
/// Their probabilities are averaged, not their logits, so at a border the labels may differ by a voxel from those of <see
/// cref="Predictor.Segment"/>.
/// Kendall and Gal, NeurIPS 2017; Lakshminarayanan et al., NeurIPS 2017.
/// </summary>
/// <param name="Labels">The most likely class.</param>
/// <param name="Entropy">Predictive entropy H(p̄) of the mean probabilities, nats: 0 where all are sure of the same, ln(classes) at
/// most.</param>
/// <param name="MutualInformation">
/// H(p̄) less the mean of the members' own entropies, nats: what they disagree on, from 0 where all say the same, however unsure.
/// </param>
public sealed record UncertainSegmentation(LabelVolume Labels, Volume Entropy, Volume MutualInformation)
{
    internal static UncertainSegmentation Of(
        NetworkAverage networks,
        int classes,
        PreparedImage image,
        PreprocessingSpec preprocessing,
        Device device,
        Action<double>? progress,
        CancellationToken cancellationToken)
    {
        var grid = image.Input.Grid;
        var (entropy, information) = (new float[grid.VoxelCount], new float[grid.VoxelCount]);
        var labelling = image.StartLabelling(classes);
        var scores = new float[classes * grid.Size.Y * grid.Size.X];
        var done = 0;
        var window = new Index3(preprocessing.PatchVoxels[0], preprocessing.PatchVoxels[1], preprocessing.PatchVoxels[2]);
        SlidingWindow.Run(networks.Opinions, classes + 1, image.Input, window, device, Take, progress, cancellationToken);
        return new UncertainSegmentation(
            image.ToScannerGrid(labelling.Finish()),
            image.ToScannerGrid(new Volume(grid, entropy)),
            image.ToScannerGrid(new Volume(grid, information)));

        void Take(float[] plane)
        {
            var voxels = grid.Size.Y * grid.Size.X;
            plane.AsSpan(0, scores.Length).CopyTo(scores);
            labelling.Add(scores);
            for (var i = 0; i < voxels; i++, done++)
            {
                var predictive = EntropyAt(plane, i, voxels, classes);
                entropy[done] = (float)predictive;
                // Never below 0, but for rounding: entropy is concave.
                information[done] = (float)Math.Max(0, predictive - plane[classes * voxels + i]);
            }
        }
    }

    /// <summary>−Σ p ln p, nats, over the classes of one voxel.</summary>
    private static double EntropyAt(float[] probabilities, int voxel, int stride, int classes)
    {
        var sum = 0.0;
        for (var label = 0; label < classes; label++)
        {
            double p = probabilities[label * stride + voxel];
            if (p > 0) sum -= p * Math.Log(p);
        }

        return sum;
    }
}

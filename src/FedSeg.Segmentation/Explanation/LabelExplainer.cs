using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Uncertainty;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Explanation;

/// <summary>Explains one network's labels of one prepared image.</summary>
/// <param name="network">The network.</param>
/// <param name="randomised">One of the same kind with <see cref="ShuffledWeights"/>.</param>
/// <param name="image">The image.</param>
/// <param name="size">The network's window.</param>
/// <param name="device">Where both networks lie.</param>
internal sealed class LabelExplainer(UNet network, UNet randomised, PreparedImage image, Index3 size, Device device)
{
    /// <param name="label">The class.</param>
    /// <param name="name">Its name.</param>
    /// <param name="found">What was found in the image, on the scanner's grid.</param>
    /// <param name="options">How much work.</param>
    /// <param name="cancellationToken">Looked at between passes through the network.</param>
    /// <returns><see langword="null"/> where the label was not found, or not by this network.</returns>
    public LabelExplanation? Explain(
        int label, string name, LabelVolume found, ExplanationOptions options, CancellationToken cancellationToken)
    {
        if (CentreOf(image.Prepare(found), (byte)label) is not { } centre) return null;
        using var scope = NewDisposeScope();
        var cut = WindowCut.Around(centre, image.Input.Grid.Size, size);
        var window = cut.Of(image.Input).to(device);
        Tensor logits;
        using (no_grad()) logits = network.forward(window);
        if (ExplainedRegion.Predicted(logits, label) is not { } region) return null;

        var gradCam = GradCam.Map(network, window, region);
        var integrated = Integrate(network);
        return new LabelExplanation
        {
            Label = name,
            Probability = region.Probability(logits),
            GradCam = OnScannerGrid(gradCam),
            Occlusion = options.OcclusionBlocks == 0
                ? null
                : OnScannerGrid(Occlude(window, region, options.OcclusionBlocks, cancellationToken)),
            IntegratedGradients = OnScannerGrid(integrated.Map),
            CompletenessGap = integrated.CompletenessGap,
            GradCamOfRandomWeights = Likeness(gradCam, GradCam.Map(randomised, window, region)),
            IntegratedGradientsOfRandomWeights = Likeness(integrated.Map, Integrate(randomised).Map),
        };

        IntegratedGradients Integrate(UNet of) => IntegratedGradients.Of(
            of.forward, window, IntegratedGradients.CoarseBaseline(window), region, options.IntegrationSteps, cancellationToken);
        Volume OnScannerGrid(float[] map) => image.ToScannerGrid(cut.PutBack(map, image.Input.Grid));
    }

    private float[] Occlude(Tensor window, ExplainedRegion region, int blocks, CancellationToken cancellationToken)
    {
        var block = new Index3(BlockOf(size.Z, blocks), BlockOf(size.Y, blocks), BlockOf(size.X, blocks));
        return Occlusion.Map(network.forward, window, region.Probability, block, fill: 0, cancellationToken);
    }

    private static int BlockOf(int extent, int blocks) => (extent + blocks - 1) / blocks;

    private static double Likeness(float[] map, float[] other) =>
        RankCorrelation.Of([.. map.Select(value => (double)value)], [.. other.Select(value => (double)value)]);

    /// <summary>The mean place of a label's voxels.</summary>
    private static Index3? CentreOf(LabelVolume labels, byte label)
    {
        var (z, y, x, count) = (0L, 0L, 0L, 0L);
        var extent = labels.Grid.Size;
        for (var i = 0; i < labels.Labels.Length; i++)
        {
            if (labels.Labels[i] != label) continue;
            z += i / (extent.Y * extent.X);
            y += i / extent.X % extent.Y;
            x += i % extent.X;
            count++;
        }

        return count == 0 ? null : new Index3((int)(z / count), (int)(y / count), (int)(x / count));
    }
}

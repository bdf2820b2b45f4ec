using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Explanation;

/// <summary>
/// How much each voxel adds to a region's score, against a baseline image: the gradient along the straight way from there to this image, by
/// the midpoint rule, times what the voxel differs. All voxels together add up to the difference of the scores. Sundararajan, Taly and Yan,
/// ICML 2017.
/// </summary>
/// <param name="Map"><c>[D, H, W]</c> in memory order, in the score's unit.</param>
/// <param name="ScoreOfBaseline">Of the baseline.</param>
/// <param name="Score">Of the image.</param>
internal sealed record IntegratedGradients(float[] Map, double ScoreOfBaseline, double Score)
{
    private const int Coarseness = 8;

    /// <summary>
    /// What the sum of the map misses of the scores' difference, as a share of it: 0 is exact. Above a tenth, more steps are needed.
    /// </summary>
    public double CompletenessGap => Math.Abs(Map.Sum(value => (double)value) / (Score - ScoreOfBaseline) - 1);

    /// <param name="network">From an input <c>[1, 1, D, H, W]</c> to logits.</param>
    /// <param name="window">The input.</param>
    /// <param name="baseline">What it is held against, of the same size.</param>
    /// <param name="region">What is explained.</param>
    /// <param name="steps">Gradients taken on the way.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    public static IntegratedGradients Of(
        Func<Tensor, Tensor> network,
        Tensor window,
        Tensor baseline,
        ExplainedRegion region,
        int steps,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        using var scope = NewDisposeScope();
        var way = window.Plus(baseline.neg()).detach();
        var sum = zeros_like(window);
        for (var step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var passing = NewDisposeScope();
            using Scalar share = (step + 0.5) / steps;
            var input = baseline.detach().add(way, share).requires_grad_();
            sum.add_(autograd.grad([region.Score(network(input))], [input])[0], LastingScalars.One);
        }

        using var withoutGradient = no_grad();
        using Scalar count = steps;
        var map = sum.div_(count).mul_(way).cpu().contiguous().data<float>().ToArray();
        return new IntegratedGradients(map, ScoreOf(baseline), ScoreOf(window));

        double ScoreOf(Tensor input) => region.Score(network(input)).item<float>();
    }

    /// <summary>
    /// The image as it would be seen at an eighth of its resolution. Not an empty image: behind an instance norm, every image on the way
    /// from nothing to this one gives the same score, and all of the difference would lie in the first step.
    /// </summary>
    public static Tensor CoarseBaseline(Tensor window)
    {
        long[] size = window.shape[2..];
        long[] smaller = [.. size.Select(extent => Math.Max(1, extent / Coarseness))];
        var coarse = functional.interpolate(window, smaller, mode: InterpolationMode.Area);
        return functional.interpolate(coarse, size, mode: InterpolationMode.Trilinear, align_corners: false);
    }
}

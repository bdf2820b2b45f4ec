using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Explanation;

/// <summary>
/// What is to be explained: why a class was found where it was. Maps tell what the score depends on, the mean logit of the class over the
/// region; the mean, so that maps of large and small organs compare.
/// </summary>
/// <param name="Label">The class.</param>
/// <param name="Region"><c>[1, D, H, W]</c>, float32: 1 in the region, 0 elsewhere; at least one voxel.</param>
internal sealed record ExplainedRegion(int Label, Tensor Region)
{
    /// <summary>
    /// Where a class is the most likely of logits <c>[1, classes, D, H, W]</c>; <see langword="null"/> where that is nowhere.
    /// </summary>
    public static ExplainedRegion? Predicted(Tensor logits, int label)
    {
        using Scalar sought = label;
        var region = logits.argmax(1).eq(sought).to(ScalarType.Float32);
        return region.sum().item<float>() > 0 ? new ExplainedRegion(label, region) : null;
    }

    /// <summary>The score of logits <c>[1, classes, D, H, W]</c>, a tensor without axes.</summary>
    public Tensor Score(Tensor logits) => logits.select(1, Label).mul(Region).sum().div(Region.sum());

    /// <summary>Mean probability of the class over the region, 0 to 1.</summary>
    public double Probability(Tensor logits) => Score(logits.softmax(1)).item<float>();
}

using FedSeg.Segmentation.Networks;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Explanation;

/// <summary>
/// Seg-Grad-CAM: which parts of a feature map speak for the region. Each feature weighs as much as the score rises with it on average; what
/// speaks against it is left out. Vinogradova, Dibrov and Myers, AAAI 2020; Selvaraju et al., ICCV 2017.
/// </summary>
internal static class GradCam
{
    /// <summary>
    /// Of the bottleneck, whose features see the most context. The network is run in two parts, because TorchSharp has no hooks that would
    /// give the gradient of a map in the middle.
    /// </summary>
    /// <param name="network">The network, in evaluation mode.</param>
    /// <param name="window">Its input <c>[1, 1, D, H, W]</c>.</param>
    /// <param name="region">What is explained.</param>
    /// <returns><c>[D, H, W]</c> on the CPU, at least 0, in memory order.</returns>
    public static float[] Map(UNet network, Tensor window, ExplainedRegion region)
    {
        using var scope = NewDisposeScope();
        IReadOnlyList<Tensor> encoded;
        using (no_grad()) encoded = network.Encode(window);
        return Map(encoded[^1], bottleneck => network.Logits([.. encoded.SkipLast(1), bottleneck]), region);
    }

    /// <summary>Of any feature map.</summary>
    /// <param name="features"><c>[1, features, d, h, w]</c>.</param>
    /// <param name="rest">From such features to logits <c>[1, classes, D, H, W]</c>.</param>
    /// <param name="region">What is explained.</param>
    public static float[] Map(Tensor features, Func<Tensor, Tensor> rest, ExplainedRegion region)
    {
        using var scope = NewDisposeScope();
        var leaf = features.detach().clone().requires_grad_();
        var gradient = autograd.grad([region.Score(rest(leaf))], [leaf])[0];
        using var withoutGradient = no_grad();
        var weights = gradient.mean([2, 3, 4], keepdim: true);
        var map = leaf.mul(weights).sum(1, keepdim: true).relu_();
        var size = region.Region.shape;
        map = functional.interpolate(map, [size[1], size[2], size[3]], mode: InterpolationMode.Trilinear, align_corners: false);
        return map.cpu().contiguous().data<float>().ToArray();
    }
}

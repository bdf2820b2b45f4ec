using FedSeg.Segmentation.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Shortens the gradient of all weights together to a largest L2 norm (Pascanu et al. 2013). Torch's own function hands the norm back as a
/// number, and so waits for the device in every step; this one never leaves it.
/// </summary>
internal static class GradientClipping
{
    // As torch's: keeps a gradient of zeros from dividing by zero.
    private static readonly Scalar Smallest = 1e-6, Whole = 1;

    public static void Clip(IReadOnlyList<NamedWeights> weights, double largestNorm)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        using Scalar largest = largestNorm;
        Tensor[] gradients = [.. weights.Select(entry => entry.Values.grad).OfType<Tensor>()];
        if (gradients.Length == 0) return;
        var norm = stack(gradients.Select(gradient => gradient.norm())).norm();
        // At most 1; NaN stays NaN, so a broken gradient is seen in the weights.
        var share = norm.add(Smallest).reciprocal().mul(largest).clamp_max(Whole);
        foreach (var gradient in gradients) gradient.mul_(share);
    }
}

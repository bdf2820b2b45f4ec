using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Cross-entropy plus soft Dice with equal weights. Logits <c>[N, C, …]</c> float32, target <c>[N, …]</c> int64 classes. Both return a scalar.
/// Source: nnU-Net v2 (Isensee et al. 2021), background left out of the Dice term. A perfect prediction has the loss −1.
/// </summary>
internal static class SegmentationLoss
{
    private static readonly Scalar Smooth = 1e-5, SmallestDenominator = 1e-8;

    /// <summary>Cross-entropy + Dice loss.</summary>
    /// <param name="logits"><c>[N, C, …]</c>.</param>
    /// <param name="target"><c>[N, …]</c>.</param>
    /// <param name="batchDice">One Dice for the whole batch instead of one a sample.</param>
    public static Tensor Of(Tensor logits, Tensor target, bool batchDice = false)
    {
        var logProbabilities = log_softmax(logits, dim: 1);
        var reference = OneHot(target, logProbabilities);
        return CrossEntropy(logProbabilities, reference).Plus(Dice(logProbabilities.exp(), reference, batchDice));
    }

    /// <summary>The target as probabilities: 1 in the true class, 0 elsewhere; shape and type as <paramref name="like"/>.</summary>
    public static Tensor OneHot(Tensor target, Tensor like)
    {
        var classes = target.unsqueeze(1);
        return zeros_like(like, requires_grad: false).scatter_(1, classes, ones_like(classes, dtype: like.dtype));
    }

    /// <summary>−mean over voxels of the log-probability of the true class.</summary>
    public static Tensor CrossEntropy(Tensor logProbabilities, Tensor reference)
    {
        using Scalar perVoxel = -(double)logProbabilities.shape[1] / logProbabilities.numel();
        return (logProbabilities * reference).sum().mul(perVoxel);
    }

    /// <summary>−mean over (samples and) foreground classes of (2·I + 1e-5) / max(Σ reference + Σ prediction + 1e-5, 1e-8).</summary>
    public static Tensor Dice(Tensor probabilities, Tensor reference, bool batchDice)
    {
        // [N, C, …] -> [N, C - 1, voxels]
        var predicted = probabilities.flatten(2).narrow(1, 1, probabilities.shape[1] - 1);
        var truth = reference.flatten(2).narrow(1, 1, reference.shape[1] - 1);
        long[] axes = batchDice ? [0, 2] : [2];
        var intersection = (predicted * truth).sum(axes);
        var total = predicted.sum(axes).Plus(truth.sum(axes));
        return (intersection.mul(LastingScalars.Two).add(Smooth) / total.add(Smooth).clamp_min(SmallestDenominator)).mean().neg();
    }
}

using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Cross-entropy plus soft Dice with equal weights. Logits <c>[N, C, …]</c> float32, target <c>[N, …]</c> int64 classes. Both return a scalar.
/// Source: nnU-Net v2 (Isensee et al. 2021), background left out of the Dice term. A perfect prediction has the loss −1.
/// Where a class is not drawn, its probability counts as background's, which is all that the labels say there, and its Dice is left out (Shi et al. 2021, "Marginal loss
/// and exclusion loss for partially supervised multi-organ segmentation", equation 3).
/// </summary>
internal static class SegmentationLoss
{
    private static readonly Scalar Smooth = 1e-5, SmallestDenominator = 1e-8, Never = double.NegativeInfinity;

    /// <summary>Cross-entropy + Dice loss.</summary>
    /// <param name="logits"><c>[N, C, …]</c>.</param>
    /// <param name="target"><c>[N, …]</c>.</param>
    /// <param name="batchDice">One Dice for the whole batch instead of one a sample.</param>
    /// <param name="drawn"><c>[N, C]</c>, 0 for a class that nobody drew in a sample, else 1; none where all are drawn.</param>
    public static Tensor Of(Tensor logits, Tensor target, bool batchDice = false, Tensor? drawn = null)
    {
        var logProbabilities = log_softmax(logits, dim: 1);
        if (drawn is not null) logProbabilities = Marginal(logProbabilities, drawn);
        var reference = OneHot(target, logProbabilities);
        return CrossEntropy(logProbabilities, reference).Plus(Dice(logProbabilities.exp(), reference, batchDice, drawn));
    }

    /// <summary>Gives the probability of undrawn classes to the background; theirs is left as it is and never asked for.</summary>
    private static Tensor Marginal(Tensor logProbabilities, Tensor drawn)
    {
        long[] perSample = [.. drawn.shape, .. Enumerable.Repeat(1L, (int)logProbabilities.dim() - 2)];
        var foreground = drawn.narrow(1, 1, drawn.shape[1] - 1);
        var elsewhere = cat([zeros_like(drawn.narrow(1, 0, 1)), foreground], dim: 1).to(ScalarType.Bool).view(perSample);
        var background = logProbabilities.masked_fill(elsewhere, Never).logsumexp(1, keepdim: true);
        return cat([background, logProbabilities.narrow(1, 1, logProbabilities.shape[1] - 1)], dim: 1);
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
    /// <param name="probabilities"><c>[N, C, …]</c>.</param>
    /// <param name="reference"><c>[N, C, …]</c>.</param>
    /// <param name="batchDice">One Dice a class for the whole batch instead of one a sample.</param>
    /// <param name="drawn"><c>[N, C]</c>; undrawn classes are left out of both means.</param>
    public static Tensor Dice(Tensor probabilities, Tensor reference, bool batchDice, Tensor? drawn = null)
    {
        // [N, C, …] -> [N, C - 1, voxels]
        var predicted = probabilities.flatten(2).narrow(1, 1, probabilities.shape[1] - 1);
        var truth = reference.flatten(2).narrow(1, 1, reference.shape[1] - 1);
        long[] axes = batchDice ? [0, 2] : [2];
        var counts = drawn?.narrow(1, 1, drawn.shape[1] - 1);
        if (counts is not null && batchDice) (predicted, truth) = (predicted * counts.unsqueeze(2), truth * counts.unsqueeze(2));
        var intersection = (predicted * truth).sum(axes);
        var total = predicted.sum(axes).Plus(truth.sum(axes));
        var dice = intersection.mul(LastingScalars.Two).add(Smooth, LastingScalars.One) / total.add(Smooth, LastingScalars.One).clamp_min(SmallestDenominator);
        if (counts is null) return dice.mean().neg();
        var share = batchDice ? counts.sum([0]).sign() : counts;
        // A sample may have no drawn class at all: 0 / 1e-8, and no Dice.
        return ((dice * share).sum() / share.sum().clamp_min(SmallestDenominator)).neg();
    }
}

using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The loss of a network with heads at several resolutions: each head's loss against the reference at its own resolution, halved from one
/// to the next and normalised. Source: nnU-Net v2, whose lowest head weighs 0 and is left out of the network here
/// (<see cref="FedSeg.Federation.Architectures.NetworkTopology.HeadLevels"/>).
/// </summary>
internal static class DeepSupervision
{
    /// <summary>The heads' weights, finest first: 1 / 2^i over their sum.</summary>
    public static double[] Weights(int heads)
    {
        double[] weights = [.. Enumerable.Range(0, heads).Select(i => Math.Pow(0.5, i))];
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }

    /// <summary>Cross-entropy + Dice over all heads; a scalar.</summary>
    /// <param name="outputs">Logits <c>[N, C, …]</c> of each head, finest first.</param>
    /// <param name="target"><c>[N, …]</c> classes at the finest resolution.</param>
    /// <param name="batchDice">One Dice for the whole batch instead of one a sample.</param>
    /// <param name="drawn"><c>[N, C]</c>, 0 for a class that nobody drew in a sample; none where all are drawn.</param>
    public static Tensor Loss(IReadOnlyList<Tensor> outputs, Tensor target, bool batchDice = false, Tensor? drawn = null)
    {
        if (outputs is [var only]) return SegmentationLoss.Of(only, target, batchDice, drawn);
        var weights = Weights(outputs.Count);
        Tensor? total = null;
        for (var i = 0; i < outputs.Count; i++)
        {
            using Scalar weight = weights[i];
            var loss = SegmentationLoss.Of(outputs[i], Coarsen(target, outputs[i]), batchDice, drawn).mul(weight);
            total = total is null ? loss : total.Plus(loss);
        }

        return total!;
    }

    /// <summary>
    /// The target at an output's resolution: of each block the voxel at its middle, as nearest-exact interpolation picks it.
    /// </summary>
    private static Tensor Coarsen(Tensor target, Tensor output)
    {
        for (var axis = 1; axis < target.dim(); axis++)
        {
            // [N, …] has one axis less than [N, C, …].
            var factor = target.shape[axis] / output.shape[axis + 1];
            if (factor > 1) target = target.slice(axis, factor / 2, target.shape[axis], factor);
        }

        return target;
    }
}

using FedSeg.Federation.Architectures;

namespace FedSeg.Federation.Planning;

/// <summary>
/// What training a network on one patch keeps in memory, in voxels × channels: the outputs of every encoder convolution, of the decoder's
/// transposed and other convolutions, and of the finest head. Norms and activations work in place or are recomputed, so they are not
/// counted. Source: nnU-Net v2.
/// </summary>
internal static class MemoryEstimate
{
    /// <param name="topology">The network.</param>
    /// <param name="residualEncoder">Whether encoder blocks are residual ones, behind a stem convolution.</param>
    /// <param name="classes">Output channels.</param>
    /// <param name="patch">Voxels <c>[z, y, x]</c>, multiples of the network's divisors.</param>
    public static long Of(NetworkTopology topology, bool residualEncoder, int classes, IReadOnlyList<int> patch)
    {
        var voxels = ComputeEstimate.VoxelsOfEachStage(topology, patch);
        var finest = topology.Stages[0];
        var total = residualEncoder ? voxels[0] * finest.Features : 0;
        var input = residualEncoder ? finest.Features : 0;
        for (var level = 0; level < topology.Stages.Length; level++)
        {
            var stage = topology.Stages[level];
            total += voxels[level] * stage.Features * (residualEncoder ? ResidualOutputs(stage, input) : stage.Blocks);
            input = stage.Features;
        }

        for (var level = 0; level < topology.Stages.Length - 1; level++)
        {
            total += voxels[level] * topology.Stages[level].Features * (topology.DecoderConvolutions + 1);
        }

        return total + voxels[0] * classes;
    }

    /// <summary>
    /// Two convolutions a block; the first block has a skip with an output of its own where it strides or its features change.
    /// </summary>
    private static int ResidualOutputs(NetworkStage stage, int input) =>
        2 * stage.Blocks + (input != stage.Features || stage.Stride.Any(stride => stride > 1) ? 1 : 0);
}

using System.Globalization;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Planning;

/// <summary>What a network computes: two operations a weight and place, of its convolutions alone, which are nearly all of it.</summary>
public static class ComputeEstimate
{
    /// <summary>A gradient costs twice what the answer does: once towards the input, once towards the weights.</summary>
    private const long StepOverForward = 3;

    /// <summary>Floating-point operations of an optimiser step on a batch.</summary>
    public static long OfStep(ArchitectureSpec spec, IReadOnlyList<int> patchVoxels, int batchSize) =>
        checked(StepOverForward * batchSize * OfForward(spec, patchVoxels));

    /// <summary>Floating-point operations of one patch through the network.</summary>
    /// <param name="spec">A spec without problems.</param>
    /// <param name="patchVoxels"><c>[z, y, x]</c>, multiples of the network's strides.</param>
    public static long OfForward(ArchitectureSpec spec, IReadOnlyList<int> patchVoxels)
    {
        var voxels = VoxelsOfEachStage(ArchitectureCatalog.Topology(spec), patchVoxels);
        return ArchitectureCatalog.Manifest(spec).Tensors
            .Where(tensor => tensor.Shape.Length == 5)
            .Sum(tensor => checked(2 * tensor.ElementCount * voxels[PlacesOf(tensor)]));
    }

    /// <summary>The stage at whose voxels a kernel is applied; a transposed one at those it comes from.</summary>
    private static int PlacesOf(TensorSpec kernel) => kernel.Name.Split('.') switch
    {
        ["head", ..] or ["encoder", "stem", ..] => 0,
        ["decoder", var level, "up", ..] => Level(level) + 1,
        [_, var level, ..] => Level(level),
        _ => throw new ArgumentException($"'{kernel.Name}' is no kernel of a U-Net.", nameof(kernel)),
    };

    private static int Level(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    internal static long[] VoxelsOfEachStage(NetworkTopology topology, IReadOnlyList<int> patch)
    {
        var size = patch.Select(extent => (long)extent).ToArray();
        var voxels = new long[topology.Stages.Length];
        for (var level = 0; level < voxels.Length; level++)
        {
            for (var axis = 0; axis < size.Length; axis++) size[axis] /= topology.Stages[level].Stride[axis];
            voxels[level] = size.Aggregate(1L, (product, extent) => product * extent);
        }

        return voxels;
    }
}

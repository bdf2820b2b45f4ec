using System.Collections.Immutable;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// Refuses networks whose update could carry a patient's image out. A crafted layer whose every output sees all of a patch (a linear layer
/// ahead of pooling, or a convolution in its place) leaves whole images in its gradient (Fowl et al. 2022, "Robbing the Fed"; Boenisch et
/// al. 2023). So no output may have as many inputs as a patch has voxels, and no layer may be linear over positions. It judges tensors, not
/// names, so that it would also hold for a network that the allow-list should gain.
/// </summary>
public static class ImprintCheck
{
    /// <summary>Each layer able to imprint an image, as one line; empty when there is none.</summary>
    /// <param name="manifest">The network's tensors.</param>
    /// <param name="patchVoxels">The training patch <c>[z, y, x]</c>.</param>
    public static IReadOnlyList<string> Problems(TensorManifest manifest, ImmutableArray<int> patchVoxels)
    {
        var patch = patchVoxels.Aggregate(1L, (product, extent) => checked(product * extent));
        var problems = new List<string>();
        foreach (var tensor in manifest.Tensors)
        {
            // Rank 1 are biases and norms: one number a channel.
            if (tensor.Shape.Length == 2)
            {
                problems.Add($"'{tensor.Name}' is a linear layer: it would see every position of what it is given at once");
            }
            else if (tensor.Shape.Length > 2 && LargestFanIn(tensor) is var inputs && inputs >= patch)
            {
                problems.Add($"an output of '{tensor.Name}' has {inputs} inputs, a patch only {patch} voxels: it could hold a whole patch; "
                    + "use larger patches or fewer features");
            }
        }

        return problems;
    }

    /// <summary>
    /// Of the two ways to read a kernel, <c>[out, in, …]</c> and transposed <c>[in, out, …]</c>, the one with more inputs.
    /// </summary>
    private static long LargestFanIn(TensorSpec weight) =>
        Math.Max(weight.Shape[0], weight.Shape.Skip(1).Aggregate(1L, (product, extent) => checked(product * extent)));
}

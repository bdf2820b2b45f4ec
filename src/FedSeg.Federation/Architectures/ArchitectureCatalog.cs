using System.Collections.Immutable;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// The allow-list of networks. It knows every tensor of a network without any tensor library, so the coordinator can create and check
/// models, and the egress gate can check updates, that neither could run.
/// </summary>
public static class ArchitectureCatalog
{
    private const int MaxFeatures = 320;

    /// <summary>Names a job may use.</summary>
    public static ImmutableArray<string> Names { get; } = ["unet3d"];

    /// <summary>Everything wrong with a spec, each as one line; empty when the network may be built.</summary>
    public static IReadOnlyList<string> Problems(ArchitectureSpec spec)
    {
        var problems = new List<string>();
        if (!Names.Contains(spec.Name))
        {
            problems.Add($"architecture '{spec.Name}' is not on the allow-list; use one of: {string.Join(", ", Names)}");
        }

        Check(problems, "inputChannels", spec.InputChannels, 1, 8);
        Check(problems, "classes", spec.Classes, 2, 256);
        Check(problems, "baseFeatures", spec.BaseFeatures, 2, 64);
        Check(problems, "levels", spec.Levels, 2, 6);
        return problems;
    }

    /// <summary>The exact tensors of a network, in file order.</summary>
    /// <exception cref="ArgumentException">The spec has <see cref="Problems"/>.</exception>
    public static TensorManifest Manifest(ArchitectureSpec spec)
    {
        var problems = Problems(spec);
        if (problems.Count > 0) throw new ArgumentException(string.Join("; ", problems), nameof(spec));
        return new TensorManifest(UNet3D(spec));
    }

    /// <summary>Feature channels of a level; 0 is the finest.</summary>
    public static int Features(ArchitectureSpec spec, int level) => Math.Min(spec.BaseFeatures << level, MaxFeatures);

    /// <summary>
    /// Plain 3D U-Net: per level two 3×3×3 convolutions, each with instance norm and leaky ReLU, the first of a coarser level with
    /// stride 2; transposed 2×2×2 convolutions up, skips concatenated; a 1×1×1 head. Source: Çiçek et al. 2016; the block layout of nnU-Net (Isensee et al. 2021).
    /// </summary>
    private static IEnumerable<TensorSpec> UNet3D(ArchitectureSpec spec)
    {
        for (var level = 0; level < spec.Levels; level++)
        {
            var input = level == 0 ? spec.InputChannels : Features(spec, level - 1);
            foreach (var tensor in Block($"encoder.{level}", input, Features(spec, level))) yield return tensor;
        }

        for (var level = spec.Levels - 2; level >= 0; level--)
        {
            var fine = Features(spec, level);
            yield return new TensorSpec($"decoder.{level}.up.weight", [Features(spec, level + 1), fine, 2, 2, 2]);
            yield return new TensorSpec($"decoder.{level}.up.bias", [fine]);
            foreach (var tensor in Block($"decoder.{level}", 2 * fine, fine)) yield return tensor;
        }

        yield return new TensorSpec("head.weight", [spec.Classes, Features(spec, 0), 1, 1, 1]);
        yield return new TensorSpec("head.bias", [spec.Classes]);
    }

    private static IEnumerable<TensorSpec> Block(string prefix, int input, int output)
    {
        for (var convolution = 0; convolution < 2; convolution++)
        {
            var name = $"{prefix}.{convolution}";
            yield return new TensorSpec($"{name}.conv.weight", [output, convolution == 0 ? input : output, 3, 3, 3]);
            yield return new TensorSpec($"{name}.conv.bias", [output]);
            yield return new TensorSpec($"{name}.norm.weight", [output]);
            yield return new TensorSpec($"{name}.norm.bias", [output]);
        }
    }

    private static void Check(List<string> problems, string key, int value, int min, int max)
    {
        if (value < min || value > max) problems.Add($"{key} is {value}; allowed are {min} to {max}");
    }
}

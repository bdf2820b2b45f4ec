using System.Collections.Immutable;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// The allow-list of networks. It knows every tensor of a network without any tensor library, so the coordinator can create and check
/// models, and the egress gate can check updates, that neither could run.
/// </summary>
public static class ArchitectureCatalog
{
    /// <summary>A plain 3D U-Net from two numbers: the same kernel, stride and depth at every level.</summary>
    public const string UniformUNet = "unet3d";

    /// <summary>A plain U-Net, stage by stage from a plan.</summary>
    public const string PlannedUNet = "unet";

    /// <summary>A U-Net with a residual encoder, stage by stage from a plan.</summary>
    public const string ResidualEncoderUNet = "resenc-unet";

    private const int MaxUniformFeatures = 320;

    /// <summary>1 GiB of float32; the largest published presets have about a tenth.</summary>
    private const long MaxParameters = 1L << 28;

    /// <summary>Names a job may use.</summary>
    public static ImmutableArray<string> Names { get; } = [UniformUNet, PlannedUNet, ResidualEncoderUNet];

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
        if (spec.Name is PlannedUNet or ResidualEncoderUNet)
        {
            CheckPlanned(problems, spec);
        }
        else
        {
            Check(problems, "baseFeatures", spec.BaseFeatures, 2, 64);
            Check(problems, "levels", spec.Levels, 2, 6);
            if (spec.Topology is not null) problems.Add($"topology is not one of {UniformUNet}'s numbers");
        }

        if (problems.Count == 0 && Build(spec).ParameterCount > MaxParameters)
        {
            problems.Add($"the network has more than {MaxParameters} weights");
        }

        return problems;
    }

    /// <summary>Everything for which a network must not be trained on patches of a size; empty when it may.</summary>
    /// <param name="spec">A spec without <see cref="Problems"/>.</param>
    /// <param name="patchVoxels"><c>[z, y, x]</c>, each at least 1.</param>
    public static IReadOnlyList<string> PatchProblems(ArchitectureSpec spec, ImmutableArray<int> patchVoxels)
    {
        var divisors = Topology(spec).SizeDivisors();
        return patchVoxels.Zip(divisors).Any(axis => axis.First % axis.Second != 0)
            ? [$"the patch [{string.Join(", ", patchVoxels)}] must be multiples of [{string.Join(", ", divisors)}], the network's strides"]
            : ImprintCheck.Problems(Manifest(spec), patchVoxels);
    }

    /// <summary>The exact tensors of a network, in file order.</summary>
    /// <exception cref="ArgumentException">The spec has <see cref="Problems"/>.</exception>
    public static TensorManifest Manifest(ArchitectureSpec spec)
    {
        var problems = Problems(spec);
        if (problems.Count > 0) throw new ArgumentException(string.Join("; ", problems), nameof(spec));
        return Build(spec);
    }

    /// <summary>The stages of a network; those of <see cref="UniformUNet"/> follow from its two numbers.</summary>
    /// <param name="spec">A spec without <see cref="Problems"/>.</param>
    public static NetworkTopology Topology(ArchitectureSpec spec) => spec.Topology ?? new NetworkTopology
    {
        Stages = [.. Enumerable.Range(0, spec.Levels).Select(level => new NetworkStage
        {
            Stride = level == 0 ? [1, 1, 1] : [2, 2, 2],
            Kernel = [3, 3, 3],
            Features = Math.Min(spec.BaseFeatures << level, MaxUniformFeatures),
            Blocks = 2,
        })],
        DecoderConvolutions = 2,
        DeepSupervision = false,
    };

    private static TensorManifest Build(ArchitectureSpec spec) => new(UNetTensors.Of(spec));

    private static void CheckPlanned(List<string> problems, ArchitectureSpec spec)
    {
        if (spec.BaseFeatures != 0 || spec.Levels != 0) problems.Add($"baseFeatures and levels are numbers of {UniformUNet} only");
        if (spec.Topology is not { } topology)
        {
            problems.Add($"{spec.Name} needs its topology; let 'fedseg plan' make one");
            return;
        }

        Check(problems, "decoderConvolutions", topology.DecoderConvolutions, 1, 2);
        Check(problems, "stages", topology.Stages.Length, 2, 10);
        for (var i = 0; i < topology.Stages.Length; i++) CheckStage(problems, i, topology.Stages[i]);
    }

    private static void CheckStage(List<string> problems, int index, NetworkStage? stage)
    {
        var largestStride = index == 0 ? 1 : 2;
        if (stage is null)
        {
            problems.Add($"stage {index} is missing");
            return;
        }

        if (stage.Stride.Length != 3 || stage.Stride.Any(stride => stride < 1 || stride > largestStride))
        {
            problems.Add($"the stride of stage {index} is [{string.Join(", ", stage.Stride)}]; allowed are three of 1 to {largestStride}");
        }

        if (stage.Kernel.Length != 3 || stage.Kernel.Any(kernel => kernel is not (1 or 3)))
        {
            problems.Add($"the kernel of stage {index} is [{string.Join(", ", stage.Kernel)}]; allowed are three of 1 and 3");
        }

        Check(problems, $"features of stage {index}", stage.Features, 1, 512);
        Check(problems, $"blocks of stage {index}", stage.Blocks, 1, 8);
    }

    private static void Check(List<string> problems, string key, int value, int min, int max)
    {
        if (value < min || value > max) problems.Add($"{key} is {value}; allowed are {min} to {max}");
    }
}

using System.Collections.Immutable;
using FedSeg.Federation.Architectures;

namespace FedSeg.Federation.Planning;

/// <summary>
/// Plans one network: a patch in proportion to the median image's, the pooling that suits it, shrunk until it fits the memory, then as many
/// patches a batch as still fit. It plans on two or three axes with the coarsest first, as nnU-Net does (ties are broken by that order),
/// and returns <c>[z, y, x]</c>.
/// </summary>
internal sealed class ConfigurationPlanner(PlannerPreset preset, int classes)
{
    private const int BaseFeatures = 32, MaxFeatures3D = 320, MaxFeatures2D = 512, SmallestBatch = 2;
    private const double InitialVoxels3D = 256.0 * 256 * 256, InitialVoxels2D = 2048.0 * 2048;

    /// <param name="name">The configuration's name.</param>
    /// <param name="spacingMm">Target spacing <c>[z, y, x]</c>, mm.</param>
    /// <param name="medianShape">Median voxels at that spacing, <c>[z, y, x]</c>.</param>
    /// <param name="datasetVoxels">Voxels of all cases at that spacing.</param>
    /// <param name="axes">The axes to plan on, in planning order; in 2D the slice axis is left out.</param>
    /// <exception cref="PlanningException">The images are too small for a network of two stages, or the memory too small for any
    /// patch.</exception>
    public PlannedConfiguration Plan(string name, double[] spacingMm, double[] medianShape, double datasetVoxels, int[] axes)
    {
        double[] spacing = [.. axes.Select(axis => spacingMm[axis])];
        double[] median = [.. axes.Select(axis => medianShape[axis])];
        var is2D = axes.Length == 2;
        var referenceBatch = is2D ? PlannerPreset.ReferenceBatch2D : PlannerPreset.ReferenceBatch3D;
        var reference = is2D ? preset.MemoryReference2D : preset.MemoryReference3D;

        var pooling = PoolingPlan.Of(spacing, InitialPatch(spacing, median));
        var candidate = Candidate(pooling, axes);
        // The reference was taken at its own batch size, and no batch is smaller than 2.
        while (candidate.Memory / (double)referenceBatch * SmallestBatch > reference)
        {
            pooling = PoolingPlan.Of(spacing, Shrink(spacing, median, pooling));
            candidate = Candidate(pooling, axes);
        }

        if (pooling.Strides.Count < 2)
        {
            var size = string.Join(" × ", median);
            throw new PlanningException($"{name}: a median image of {size} voxels is too small to plan; 12 along an axis would do");
        }

        var patchVoxels = pooling.Patch.Aggregate(1.0, (product, extent) => product * extent);
        var fitting = Math.Round(reference / candidate.Memory * referenceBatch);
        var largest = Math.Round(datasetVoxels * preset.LargestBatchShare / patchVoxels);
        return new PlannedConfiguration
        {
            Name = name,
            SpacingMm = [.. spacingMm],
            MedianShape = [.. medianShape],
            PatchVoxels = candidate.Patch,
            BatchSize = (int)Math.Max(Math.Min(fitting, largest), SmallestBatch),
            BatchDice = false,
            Architecture = new ArchitectureSpec
            {
                Name = preset.ResidualEncoder ? ArchitectureCatalog.ResidualEncoderUNet : ArchitectureCatalog.PlannedUNet,
                Classes = classes,
                Topology = candidate.Topology,
            },
            MemoryEstimate = candidate.Memory,
        };
    }

    /// <summary>Voxels in inverse proportion to the spacing, of a volume surely too large, then no larger than the median image.</summary>
    private static double[] InitialPatch(double[] spacing, double[] median)
    {
        var volume = spacing.Length == 3 ? InitialVoxels3D : InitialVoxels2D;
        var unscaled = spacing.Aggregate(1.0, (product, mm) => product / mm);
        var scale = Math.Pow(volume / unscaled, 1.0 / spacing.Length);
        // Upstream lets an extreme spacing round to an empty patch; one voxel is the least.
        return [.. spacing.Zip(median, (mm, extent) => Math.Min(Math.Max(1, Math.Round(scale / mm)), extent))];
    }

    /// <summary>
    /// The patch with one step less along the axis that covers most of its median image. The step is the divisor that the smaller patch
    /// will have: that of the larger one would skip sizes that are valid with one halving less.
    /// </summary>
    private static double[] Shrink(double[] spacing, double[] median, PoolingPlan pooling)
    {
        var axis = 0;
        for (var i = 1; i < median.Length; i++)
        {
            // On a tie the last.
            if (pooling.Patch[i] / median[i] >= pooling.Patch[axis] / median[axis]) axis = i;
        }

        double[] smaller = [.. pooling.Patch.Select(extent => (double)extent)];
        smaller[axis] -= pooling.Divisors[axis];
        if (smaller[axis] < 1) throw new PlanningException("no patch fits the preset's memory; use fewer labels or a larger preset");
        var step = PoolingPlan.Of(spacing, smaller).Divisors[axis];
        smaller[axis] = pooling.Patch[axis] - step;
        return smaller;
    }

    private (NetworkTopology Topology, ImmutableArray<int> Patch, long Memory) Candidate(PoolingPlan pooling, int[] axes)
    {
        var maxFeatures = (axes.Length == 3 ? MaxFeatures3D : MaxFeatures2D) / preset.WidthDivisor;
        var topology = new NetworkTopology
        {
            Stages = [.. Enumerable.Range(0, pooling.Strides.Count).Select(stage => new NetworkStage
            {
                Stride = OnAllAxes(pooling.Strides[stage], axes),
                Kernel = OnAllAxes(pooling.Kernels[stage], axes),
                Features = (int)Math.Min((long)BaseFeatures / preset.WidthDivisor << stage, maxFeatures),
                Blocks = preset.EncoderBlocks[Math.Min(stage, preset.EncoderBlocks.Length - 1)],
            })],
            DecoderConvolutions = preset.DecoderConvolutions,
            DeepSupervision = true,
        };
        var patch = OnAllAxes(pooling.Patch, axes);
        return (topology, patch, MemoryEstimate.Of(topology, preset.ResidualEncoder, classes, patch));
    }

    /// <summary>Values of the planned axes in their places, 1 along the slice axis of a 2D plan.</summary>
    private static ImmutableArray<int> OnAllAxes(int[] values, int[] axes)
    {
        int[] all = [1, 1, 1];
        for (var i = 0; i < axes.Length; i++) all[axes[i]] = values[i];
        return [.. all];
    }
}

/// <summary>No network can be planned for the data; the message says why and what would help.</summary>
public sealed class PlanningException(string message) : Exception(message);

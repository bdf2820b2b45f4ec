using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;
using FedSeg.Testing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Inference;

/// <summary>What segmenting an image takes beside the network itself, voxel by voxel: a CT of 512 × 512 × 300 must fit into 6 GB.</summary>
public sealed class PredictorMemoryTests : IDisposable
{
    private const double LargestBytes = 6e9, CtVoxels = 512.0 * 512 * 300;

    /// <summary>A runtime, libtorch, a network and one row of windows.</summary>
    private const double Fixed = 1.2e9;

    /// <summary>The image itself; torch reads the prepared one where it lies.</summary>
    private const double OutsideManagedMemory = sizeof(float);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Segment_LargeCt_StaysWithinSixGigabytes()
    {
        var preprocessing = SyntheticCases.Preprocessing(patch: 32) with { Modality = "CT" };
        var model = new ModelMetadata { Architecture = Plans.Small, Labels = [.. SyntheticCases.Labels], Preprocessing = preprocessing };
        ModelInitializer.Write(_folder["model"], ArchitectureCatalog.Manifest(Plans.Small), seed: 1, model.ToDictionary());
        using var predictor = Predictor.Open([_folder["model"]], mirror: false, CPU);
        // Resampled on the way in and back, as most images are.
        var grid = SyntheticCases.Grid(64, 64, 64) with { SpacingMm = new Vector3D(0.9, 0.9, 1.2) };
        var image = new Volume(grid, [.. Enumerable.Range(0, grid.VoxelCount).Select(i => (float)(i % 97))]);

        // All that is ever allocated is more than what is held at once, and does not depend on what else runs.
        var before = GC.GetAllocatedBytesForCurrentThread();
        predictor.Segment(image, progress: null, TestContext.Current.CancellationToken);
        var perVoxel = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)grid.VoxelCount;

        TestContext.Current.TestOutputHelper!.WriteLine($"{perVoxel:F1} bytes a voxel");
        Assert.InRange(Fixed + (perVoxel + OutsideManagedMemory) * CtVoxels, 0, LargestBytes);
    }
}

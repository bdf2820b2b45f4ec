using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class PatchSamplerTests
{
    private static TrainingSchedule Schedule(int patch, ulong seed = 5) =>
        TrainingSchedule.Whole(Plans.Recipe() with { Mirroring = true }, SyntheticCases.Preprocessing(patch), [.. SyntheticCases.Labels], steps: 10, seed);

    [Fact]
    public void Start_ImageSmallerThanThePatch_IsCentred()
    {
        var small = SyntheticCases.Ball(11, "a", 1);
        Assert.Equal(new Index3(-2, -2, -2), new PatchSampler([small], Schedule(16)).Start(small, onForeground: false, new Random(1)));
    }

    [Fact]
    public void Start_OnForeground_ThePatchHoldsALabelAndStaysInside()
    {
        var grid = SyntheticCases.Grid(40, 40, 40);
        var labels = new byte[grid.VoxelCount];
        labels[(39 * 40 + 20) * 40 + 1] = 1; // one voxel near two faces
        var source = SyntheticCases.Prepare("a", new Volume(grid, [.. Enumerable.Range(0, labels.Length).Select(i => (float)i)]), new LabelVolume(grid, labels));

        Assert.Equal(new Index3(32, 16, 0), new PatchSampler([source], Schedule(8)).Start(source, onForeground: true, new Random(1)));
    }

    [Fact]
    public void Start_Anywhere_ReachesBothEnds()
    {
        var source = SyntheticCases.Ball(12, "a", 1);
        var sampler = new PatchSampler([source], Schedule(8));
        var random = new Random(1);
        var starts = Enumerable.Range(0, 500).Select(_ => sampler.Start(source, onForeground: false, random).X).Distinct().Order();
        Assert.Equal([0, 1, 2, 3, 4], starts);
    }

    [Fact]
    public void Batch_SameSeed_GivesTheSamePatchesInAnyOrder()
    {
        var cases = SyntheticCases.Make(3);
        var (first, second) = (new PatchSampler(cases, Schedule(8)), new PatchSampler(cases, Schedule(8)));
        for (var i = 0; i < 10; i++)
        {
            var (a, b) = (first.Batch(i), second.Batch(9 - i));
            Assert.Equal(a.Images, second.Batch(i).Images);
            Assert.Equal(a.Labels, second.Batch(i).Labels);
            Assert.NotEqual(a.Images, b.Images);
        }
    }

    /// <summary>nnU-Net's mask: whatever augmentation does, the surroundings of the body stay 0.</summary>
    [Fact]
    public void Batch_MaskedCase_IsZeroOutsideTheBodyAndBackgroundThere()
    {
        var grid = SyntheticCases.Grid(16, 16, 16);
        var ball = SyntheticCases.Ball(16, "a", 1);
        // The body is the lower half of the columns.
        var voxels = Enumerable.Range(0, grid.VoxelCount).Select(i => i % 16 < 8 || i == grid.VoxelCount - 1 ? ball.Prepared.Input.Voxels[i] + 10 : 0f);
        var image = PreparedImage.From(new Volume(grid, [.. voxels]), SyntheticCases.Preprocessing() with { Crop = CropRule.NonzeroMasked });
        var masked = image.PrepareCase("a", new LabelVolume(grid, new byte[grid.VoxelCount]), []);
        var plain = new PreparedCase("a", image, new LabelVolume(grid, new byte[grid.VoxelCount]), masked.Reference);

        var patches = Enumerable.Range(0, 40).Select(step => new PatchSampler([masked], Schedule(16)).Batch(step)).ToList();

        Assert.All(patches, patch => Assert.DoesNotContain(PreparedCase.Outside, patch.Labels));
        // Half of the voxels and more lie outside; without the mask, noise and gain reach them.
        Assert.All(patches, patch => Assert.InRange(patch.Images.Count(value => value == 0), patch.Images.Length / 3, patch.Images.Length));
        Assert.Contains(Enumerable.Range(0, 40).Select(step => new PatchSampler([plain], Schedule(16)).Batch(step)), patch => patch.Images.Count(value => value == 0) < patch.Images.Length / 3);
    }

    [Fact]
    public void Batch_AnotherSeed_GivesOtherPatches()
    {
        var cases = SyntheticCases.Make(3);
        Assert.NotEqual(new PatchSampler(cases, Schedule(8)).Batch(0).Images, new PatchSampler(cases, Schedule(8, seed: 6)).Batch(0).Images);
    }

    [Fact]
    public void Batch_OfTwo_SecondPatchAlwaysHoldsForeground()
    {
        var grid = SyntheticCases.Grid(48, 8, 8);
        var labels = new byte[grid.VoxelCount];
        labels.AsSpan(0, 64).Fill(1); // only the first slice of 48
        var source = SyntheticCases.Prepare("a", new Volume(grid, [.. labels.Select((_, i) => (float)(i % 7))]), new LabelVolume(grid, labels));
        var sampler = new PatchSampler([source], Schedule(8));
        var batches = Enumerable.Range(0, 60).Select(i => sampler.Batch(i)).ToArray();

        // A turned patch may lose a slice at its edge, so "mostly" for the second; the first finds slice 0 by luck only.
        Assert.InRange(batches.Count(batch => batch.Labels.Skip(512).Contains((byte)1)), 45, 60);
        Assert.InRange(batches.Count(batch => batch.Labels.Take(512).Contains((byte)1)), 0, 20);
    }

    [Fact]
    public void Batch_WithoutAugmentation_IsAPlainCrop()
    {
        var source = SyntheticCases.Ball(8, "a", 1);
        var schedule = Schedule(8) with { Recipe = Plans.Recipe() with { Augmentation = AugmentationKind.None, Mirroring = true } };
        var batch = new PatchSampler([source], schedule).Batch(3);
        Assert.Equal([.. source.Prepared.Input.Voxels, .. source.Prepared.Input.Voxels], batch.Images);
        Assert.Equal([.. source.Labels.Labels, .. source.Labels.Labels], batch.Labels);
    }
}

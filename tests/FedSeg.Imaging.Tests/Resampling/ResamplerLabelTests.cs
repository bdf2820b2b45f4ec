using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

public sealed class ResamplerLabelTests
{
    [Fact]
    public void ToSpacing_OneClassHalved_KeepsItWhereItsWeightPassesHalf()
    {
        // New centres at −.25, .25, .75, … : weights of class 1 are 0, 0, 0, .25, .75, 1, 1, .75, .25, 0.
        var line = Line([0, 0, 1, 1, 0]);

        Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1, 0, 0], Resampler.ToSpacing(line, Grids.SpacingMm(1, 1, 0.5)).Labels);
    }

    [Fact]
    public void ToSpacing_WeightOfExactlyHalf_IsBackground()
    {
        // 4 -> 2 voxels: new centres at .5 and 2.5.
        Assert.Equal([0, 0], Resampler.ToSpacing(Line([0, 1, 1, 0]), Grids.SpacingMm(1, 1, 2)).Labels);
    }

    [Fact]
    public void ToSpacing_TwoClassesTie_IsBackground()
    {
        // 3 fills the first new voxel; 5 and 2 have half of the second each, and no class passes one half.
        Assert.Equal([3, 0], Resampler.ToSpacing(Line([3, 3, 5, 2]), Grids.SpacingMm(1, 1, 2)).Labels);
    }

    [Fact]
    public void ToSpacing_ThreeClassesMeet_IsBackgroundUnlessOnePassesHalf()
    {
        // The one new voxel lies in the middle of the four: 1/4 each for 0 and 7 and exactly one half, or three quarters, for 4.
        var tie = new LabelVolume(Grids.Straight(new Index3(1, 2, 2), 1, 1, 1), [0, 4, 4, 7]);
        var majority = new LabelVolume(Grids.Straight(new Index3(1, 2, 2), 1, 1, 1), [4, 4, 4, 7]);

        Assert.Equal([0], Resampler.ToSpacing(tie, Grids.SpacingMm(1, 2, 2)).Labels);
        Assert.Equal([4], Resampler.ToSpacing(majority, Grids.SpacingMm(1, 2, 2)).Labels);
    }

    [Fact]
    public void ToSpacing_TieOfThirds_DoesNotDependOnRounding()
    {
        // Two voxels become three: the middle one lies halfway, which (i + ½) · 2/3 − ½ misses by a rounding in binary.
        Assert.Equal([1, 0, 2], Resampler.ToSpacing(Line([1, 2]), Grids.SpacingMm(1, 1, 2 / 3.0)).Labels);
    }

    [Fact]
    public void ToSpacing_CoarseSlices_TakesTheNearestSlice()
    {
        // New centres at −.3, .1, .5, .9, 1.3; along the coarse axis nothing is blended, and halfway the upper slice is taken.
        var stack = new LabelVolume(Grids.Straight(new Index3(2, 1, 1), 8, 1, 1), [0, 1]);

        Assert.Equal([0, 0, 1, 1, 1], Resampler.ToSpacing(stack, Grids.SpacingMm(3.2, 1, 1)).Labels);
    }

    [Fact]
    public void ToSpacing_CloseSlices_BlendsThemAndLeavesTheTieToBackground()
    {
        var stack = new LabelVolume(Grids.Straight(new Index3(2, 1, 1), 2, 1, 1), [0, 1]);

        Assert.Equal([0, 0, 0, 1, 1], Resampler.ToSpacing(stack, Grids.SpacingMm(0.8, 1, 1)).Labels);
    }

    [Fact]
    public void ToSpacing_SizeUnchanged_ReturnsTheLabelsThemselves()
    {
        var line = Line([0, 1, 2]);

        Assert.Same(line, Resampler.ToSpacing(line, Grids.SpacingMm(1, 1, 1)));
    }

    [Fact]
    public void ToSpacing_SameTargetAsTheImage_LandsOnTheSameGrid()
    {
        var grid = Grids.Straight(new Index3(4, 5, 6), 2.5, 0.8, 0.7);

        var image = Resampler.ToSpacing(new Volume(grid, new float[120]), Grids.SpacingMm(1.5, 1.5, 1.5));
        var labels = Resampler.ToSpacing(new LabelVolume(grid, new byte[120]), Grids.SpacingMm(1.5, 1.5, 1.5));

        Assert.Equal(image.Grid, labels.Grid);
    }

    [Fact]
    public void ToSpacing_OneThreadOrMany_GivesTheSameLabels()
    {
        var labels = new LabelVolume(
            Grids.Straight(new Index3(13, 29, 31), 1, 1, 1), [.. Enumerable.Range(0, 13 * 29 * 31).Select(i => (byte)(i * i % 23 % 5))]);

        var alone = Resampler.ToSpacing(labels, Grids.SpacingMm(0.7, 1.3, 0.9), maxThreads: 1);
        var together = Resampler.ToSpacing(labels, Grids.SpacingMm(0.7, 1.3, 0.9), maxThreads: 7);

        Assert.Equal(alone.Labels, together.Labels);
    }

    [Fact]
    public void ToGrid_GridOfTheNetworkAndBack_RestoresABox()
    {
        var grid = Grids.Straight(new Index3(6, 8, 10), 1, 1, 1);
        var box = new byte[480];
        for (var z = 2; z < 4; z++)
        for (var y = 2; y < 6; y++)
        for (var x = 2; x < 8; x++)
            box[(z * 8 + y) * 10 + x] = 3;

        var fine = Resampler.ToSpacing(new LabelVolume(grid, box), Grids.SpacingMm(0.5, 0.5, 0.5));
        var back = Resampler.ToGrid(fine, grid);

        Assert.Equal(new Index3(12, 16, 20), fine.Grid.Size);
        Assert.Equal(box, back.Labels);
        Assert.Equal(grid, back.Grid);
    }

    [Fact]
    public void ToGrid_CoarseSlices_TakesTheNearestSlice()
    {
        var stack = new LabelVolume(Grids.Straight(new Index3(2, 1, 1), 8, 1, 1), [1, 2]);

        Assert.Equal([1, 1, 2, 2], Resampler.ToGrid(stack, Resampler.GridAt(stack.Grid, Grids.SpacingMm(4, 1, 1))).Labels);
    }

    [Fact]
    public void ToGrid_GridOfAnotherPatient_IsRefused()
    {
        var line = Line([1, 2]);
        var moved = line.Grid with { OriginMm = line.Grid.OriginMm + new Vector3D(0.1, 0, 0) };

        Assert.Throws<ArgumentException>(() => Resampler.ToGrid(line, moved));
    }

    private static LabelVolume Line(byte[] labels) => new(Grids.Straight(new Index3(1, 1, labels.Length), 1, 1, 1), labels);
}

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

        Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1, 0, 0], Resampler.ToSpacing(line, [1, 1, 0.5]).Labels);
    }

    [Fact]
    public void ToSpacing_WeightOfExactlyHalf_IsBackground()
    {
        // 4 -> 2 voxels: new centres at .5 and 2.5.
        Assert.Equal([0, 0], Resampler.ToSpacing(Line([0, 1, 1, 0]), [1, 1, 2]).Labels);
    }

    [Fact]
    public void ToSpacing_TwoClassesSideBySide_LeavesNoGap()
    {
        Assert.Equal([3, 2], Resampler.ToSpacing(Line([3, 3, 5, 2]), [1, 1, 2]).Labels);
    }

    [Fact]
    public void ToSpacing_ThreeClassesMeet_TakesTheHeaviest()
    {
        // The one new voxel lies in the middle of the four: 1/4 each for 0, 7 and twice 1/4 for 4: heaviest at exactly one half.
        var square = new LabelVolume(Grids.Straight(new Index3(1, 2, 2), 1, 1, 1), [0, 4, 4, 7]);

        Assert.Equal([4], Resampler.ToSpacing(square, [1, 2, 2]).Labels);
    }

    [Fact]
    public void ToSpacing_CoarseSlices_TakesTheNearestSlice()
    {
        // New centres at −.3, .1, .5, .9, 1.3; along the coarse axis nothing is blended, and halfway the upper slice is taken.
        var stack = new LabelVolume(Grids.Straight(new Index3(2, 1, 1), 8, 1, 1), [0, 1]);

        Assert.Equal([0, 0, 1, 1, 1], Resampler.ToSpacing(stack, [3.2, 1, 1]).Labels);
    }

    [Fact]
    public void ToSpacing_CloseSlices_BlendsThemAndLeavesTheTieToBackground()
    {
        var stack = new LabelVolume(Grids.Straight(new Index3(2, 1, 1), 2, 1, 1), [0, 1]);

        Assert.Equal([0, 0, 0, 1, 1], Resampler.ToSpacing(stack, [0.8, 1, 1]).Labels);
    }

    [Fact]
    public void ToSpacing_SizeUnchanged_ReturnsTheLabelsThemselves()
    {
        var line = Line([0, 1, 2]);

        Assert.Same(line, Resampler.ToSpacing(line, [1, 1, 1]));
    }

    [Fact]
    public void ToSpacing_SameTargetAsTheImage_LandsOnTheSameGrid()
    {
        var grid = Grids.Straight(new Index3(4, 5, 6), 2.5, 0.8, 0.7);

        var image = Resampler.ToSpacing(new Volume(grid, new float[120]), [1.5, 1.5, 1.5]);
        var labels = Resampler.ToSpacing(new LabelVolume(grid, new byte[120]), [1.5, 1.5, 1.5]);

        Assert.Equal(image.Grid, labels.Grid);
    }

    private static LabelVolume Line(byte[] labels) => new(Grids.Straight(new Index3(1, 1, labels.Length), 1, 1, 1), labels);
}

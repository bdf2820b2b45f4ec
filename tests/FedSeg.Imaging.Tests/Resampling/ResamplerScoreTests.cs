using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

public sealed class ResamplerScoreTests
{
    [Fact]
    public void ScoresToGrid_TwoVoxelsToFour_IsLinearBetweenCentresAndFlatBeyond()
    {
        Assert.Equal([4, 5, 7, 8], Scores([4, 8], new Index3(1, 1, 2), new Index3(1, 1, 4)));
    }

    [Fact]
    public void ScoresToGrid_SquareToOne_IsTheMean()
    {
        Assert.Equal([3.5f], Scores([1, 2, 3, 8], new Index3(1, 2, 2), new Index3(1, 1, 1)));
    }

    [Fact]
    public void ScoresToGrid_EachAxis_MovesOnlyAlongIt()
    {
        Assert.Equal([1, 5, 2, 5, 4, 5, 5, 5], Scores([1, 5, 5, 5], new Index3(2, 1, 2), new Index3(4, 1, 2)));
        Assert.Equal([1, 5, 2, 5, 4, 5, 5, 5], Scores([1, 5, 5, 5], new Index3(1, 2, 2), new Index3(1, 4, 2)));
    }

    [Fact]
    public void ScoresToGrid_ClassesOneAfterAnother_AreResampledEachAlone()
    {
        Assert.Equal([4, 5, 7, 8, 0, -1, -3, -4], Scores([4, 8, 0, -4], new Index3(1, 1, 2), new Index3(1, 1, 4), classes: 2));
    }

    [Fact]
    public void ScoresToGrid_CoarseSlices_InterpolatesInPlanesAndRepeatsTheNearest()
    {
        // Slices of 8 mm: linear along x, but slices stay as they are, halfway (the second of three) the upper one.
        var from = Grids.Straight(new Index3(2, 1, 2), 8, 1, 1);
        var to = Resampler.GridAt(from, Grids.SpacingMm(16 / 3.0, 1, 0.5));

        Assert.Equal([4, 5, 7, 8, 0, 1, 3, 4, 0, 1, 3, 4], Resampler.ScoresToGrid([4, 8, 0, 4], 1, from, to));
    }

    [Fact]
    public void ScoresToGrid_ObliqueGrid_DoesNotDependOnDirections()
    {
        var directions = new AxisDirections(new(0, -0.6, 0.8), new(0, 0.8, 0.6), new(-1, 0, 0));
        var from = new GridGeometry(new Index3(1, 1, 2), new Vector3D(1, 1, 1), new Vector3D(7, -3, 250), directions);

        Assert.Equal([4, 5, 7, 8], Resampler.ScoresToGrid([4, 8], 1, from, Resampler.GridAt(from, Grids.SpacingMm(1, 1, 0.5))));
    }

    [Fact]
    public void ScoresToGrid_NaN_StaysAmongItsNeighbours()
    {
        var scores = Scores([1, 2, 3, float.NaN], new Index3(1, 1, 4), new Index3(1, 1, 8));

        Assert.Equal([1, 1.25f, 1.75f, 2.25f, 2.75f, float.NaN, float.NaN, float.NaN], scores);
    }

    // scipy 1.10.1: a = ((arange(120) * 37) % 101.).reshape(4, 5, 6)
    // ndimage.zoom(a, (6/4, 4/5, 9/6), order=1, mode='nearest', grid_mode=True).ravel()[[0, 1, 17, 50, 101, 150, 190, 215]]
    [Fact]
    public void ScoresToGrid_AllAxesChange_EqualsSciPy()
    {
        int[] probes = [0, 1, 17, 50, 101, 150, 190, 215];
        float[] values = [.. Enumerable.Range(0, 120).Select(i => (float)(i * 37 % 101))];

        var scores = Scores(values, new Index3(4, 5, 6), new Index3(6, 4, 9));

        double[] expected = [2.5, 21.0, 10.5, 43.16667, 29.02083, 40.83333, 43.0, 57.5];
        Assert.Equal(expected, probes.Select(i => (double)scores[i]), (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void ScoresToGrid_SameSize_ReturnsACopy()
    {
        float[] values = [1, 2];

        var scores = Scores(values, new Index3(1, 1, 2), new Index3(1, 1, 2));

        Assert.Equal(values, scores);
        Assert.NotSame(values, scores);
    }

    [Fact]
    public void ScoresToGrid_OneThreadOrMany_GivesTheSameBits()
    {
        var from = Grids.Straight(new Index3(13, 29, 31), 1, 1, 1);
        var to = Resampler.GridAt(from, Grids.SpacingMm(0.7, 1.3, 0.9));
        var scores = SciPyZoom.Image(13, 29, 31);

        var alone = Resampler.ScoresToGrid(scores, 1, from, to, maxThreads: 1);
        var together = Resampler.ScoresToGrid(scores, 1, from, to, maxThreads: 7);

        Assert.Equal(alone.Select(BitConverter.SingleToInt32Bits), together.Select(BitConverter.SingleToInt32Bits));
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(2, 2)]
    [InlineData(0, 0)]
    public void ScoresToGrid_ScoresOfAnotherSize_AreRefused(int count, int classes)
    {
        Assert.Throws<ArgumentException>(() => Scores(new float[count], new Index3(1, 1, 2), new Index3(1, 1, 4), classes));
    }

    [Fact]
    public void ScoresToGrid_AnotherBox_IsRefused()
    {
        var from = Grids.Straight(new Index3(1, 1, 2), 1, 1, 1);
        var to = Grids.Straight(new Index3(1, 1, 3), 1, 1, 1);

        Assert.Throws<ArgumentException>(() => Resampler.ScoresToGrid(new float[2], 1, from, to));
    }

    private static float[] Scores(float[] values, Index3 from, Index3 to, int classes = 1)
    {
        var grid = Grids.Straight(from, 1, 1, 1);
        var spacing = Grids.SpacingMm((double)from.Z / to.Z, (double)from.Y / to.Y, (double)from.X / to.X);
        return Resampler.ScoresToGrid(values, classes, grid, Resampler.GridAt(grid, spacing));
    }
}

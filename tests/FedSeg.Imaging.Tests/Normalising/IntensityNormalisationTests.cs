using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Normalising;

public sealed class IntensityNormalisationTests
{
    [Fact]
    public void ClipAndZScore_VoxelsInAndOutOfTheWindow_AreClippedThenStandardised()
    {
        var window = new IntensityStatistics(Mean: 100, Deviation: 40, LowerClip: -40, UpperClip: 200);

        var scores = IntensityNormalisation.ClipAndZScore(Line(-1024, -41, -40, 120, 200, 1500), window);

        // (−40 − 100)/40, the same for −41; (120 − 100)/40; (200 − 100)/40 for 200 and bone.
        Assert.Equal([-3.5f, -3.5f, -3.5f, 0.5f, 2.5f, 2.5f], scores.Voxels);
    }

    [Fact]
    public void ClipAndZScore_DeviationOfZero_IsTakenAsTheSmallest()
    {
        var window = new IntensityStatistics(Mean: 5, Deviation: 0, LowerClip: 0, UpperClip: 10);

        Assert.Equal([0f, 1e8f], IntensityNormalisation.ClipAndZScore(Line(5, 6), window).Voxels);
    }

    [Fact]
    public void ClipAndZScore_NaN_IsRefused()
    {
        var window = new IntensityStatistics(Mean: 5, Deviation: 1, LowerClip: 0, UpperClip: 10);

        Assert.Throws<ArgumentException>(() => IntensityNormalisation.ClipAndZScore(Line(float.NaN), window));
    }

    [Theory]
    [InlineData(10, 10, 0, 1)]
    [InlineData(11, 10, 0, 1)]
    [InlineData(double.NaN, 10, 0, 1)]
    [InlineData(0, 10, double.PositiveInfinity, 1)]
    [InlineData(0, 10, 5, -1)]
    public void ClipAndZScore_NumbersThatMakeNoWindow_AreRefused(double low, double high, double mean, double deviation)
    {
        var window = new IntensityStatistics(mean, deviation, low, high);

        Assert.Throws<ArgumentException>(() => IntensityNormalisation.ClipAndZScore(Line(1), window));
    }

    [Fact]
    public void ZScore_EightNumbers_DividesByThePopulationDeviation()
    {
        // Mean 5, population standard deviation 2 (the sample one would be 2.138).
        Assert.Equal([-1.5f, -0.5f, -0.5f, -0.5f, 0, 0, 1, 2], IntensityNormalisation.ZScore(Line(2, 4, 4, 4, 5, 5, 7, 9)).Voxels);
    }

    [Fact]
    public void ZScore_LargeOffset_KeepsItsDigits()
    {
        var scores = IntensityNormalisation.ZScore(Line(16_000_000, 16_000_002, 16_000_000, 16_000_002));

        Assert.Equal([-1f, 1, -1, 1], scores.Voxels);
    }

    [Fact]
    public void ZScore_FlatImage_IsZero()
    {
        Assert.Equal([0f, 0, 0], IntensityNormalisation.ZScore(Line(7, 7, 7)).Voxels);
    }

    [Fact]
    public void ZScore_LeavesTheImageItselfAlone()
    {
        var image = Line(1, 3);

        var scores = IntensityNormalisation.ZScore(image);

        Assert.Equal([1f, 3], image.Voxels);
        Assert.Same(image.Grid, scores.Grid);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void ZScore_VoxelThatIsNoNumber_IsRefused(float value)
    {
        Assert.Throws<ArgumentException>(() => IntensityNormalisation.ZScore(Line(1, value, 2)));
        Assert.Throws<ArgumentException>(() => IntensityNormalisation.ZScoreWithin(Line(1, value, 2), [true, true, false]));
    }

    [Fact]
    public void ZScoreWithin_AirAroundTheHead_BecomesZeroAndDoesNotCount()
    {
        // The zero in the middle lies in the mask: mean 4, population deviation sqrt(52/9).
        var scores = IntensityNormalisation.ZScoreWithin(
            Line(0, 2, 4, 4, 0, 4, 5, 5, 5, 7, 0), [false, true, true, true, true, true, true, true, true, true, false]);

        var deviation = Math.Sqrt((4 + 0 + 0 + 16 + 0 + 1 + 1 + 1 + 9) / 9.0);
        Assert.Equal([0, -2, 0, 0, -4, 0, 1, 1, 1, 3, 0], scores.Voxels.Select(score => score * deviation), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void ZScoreWithin_WhatLiesOutside_BecomesZero() =>
        Assert.Equal([-1f, 1, 0], IntensityNormalisation.ZScoreWithin(Line(1, 3, 50), [true, true, false]).Voxels);

    [Fact]
    public void ZScoreWithin_EmptyMask_IsZero() =>
        Assert.Equal([0f, 0], IntensityNormalisation.ZScoreWithin(Line(4, 5), [false, false]).Voxels);

    [Fact]
    public void ZScoreWithin_MaskOfAnotherSize_IsRefused() =>
        Assert.Throws<ArgumentException>(() => IntensityNormalisation.ZScoreWithin(Line(4, 5), [true]));

    private static Volume Line(params float[] voxels) => new(Grids.Straight(new Index3(1, 1, voxels.Length), 1, 1, 1), voxels);
}

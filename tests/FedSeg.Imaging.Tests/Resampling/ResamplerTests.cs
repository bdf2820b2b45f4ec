using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

public sealed class ResamplerTests
{
    private static readonly int[] Probes = [0, 1, 17, 50, 101, 150, 190, 215];

    private static Volume Ramp() => new(Grid(new(4, 5, 6), new(1, 1, 1)), [.. Enumerable.Range(0, 120).Select(i => (float)(i * 37 % 101))]);

    private static GridGeometry Grid(Index3 size, Vector3D spacing) =>
        new(size, spacing, new(0, 0, 0), new(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));

    // scipy 1.10.1: a = ((arange(120) * 37) % 101.).reshape(4, 5, 6)
    // clip(ndimage.zoom(a, (6/4, 4/5, 9/6), order=3, mode='nearest', grid_mode=True), a.min(), a.max()).ravel()[probes]
    [Fact]
    public void ToSpacing_Image_AgreesWithScipyCubic()
    {
        var result = Resampler.ToSpacing(Ramp(), new(X: 6 / 9.0, Y: 5 / 4.0, Z: 4 / 6.0));
        Assert.Equal(new Index3(6, 4, 9), result.Grid.Size);
        double[] expected = [0.0, 10.66671, 0.0, 44.42937, 20.49912, 35.48303, 35.32328, 62.81557];
        Assert.Equal(expected, Probes.Select(i => (double)result.Voxels[i]), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    // As above with order=1.
    [Fact]
    public void ScoresToGrid_OneClass_AgreesWithScipyLinear()
    {
        var from = Ramp();
        var to = Resampler.GridAt(from.Grid, new(X: 6 / 9.0, Y: 5 / 4.0, Z: 4 / 6.0));
        var result = Resampler.ScoresToGrid(from.Voxels, 1, from.Grid, to);
        double[] expected = [2.5, 21.0, 10.5, 43.16667, 29.02083, 40.83333, 43.0, 57.5];
        Assert.Equal(expected, Probes.Select(i => (double)result[i]), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void ToSpacing_OneOrManyThreads_IsBitIdentical() => Assert.Equal(
        Resampler.ToSpacing(Ramp(), new(.3, .4, .5), maxThreads: 1).Voxels,
        Resampler.ToSpacing(Ramp(), new(.3, .4, .5), maxThreads: 4).Voxels);

    [Fact]
    public void ToSpacing_SameSpacing_ReturnsTheSameInstance()
    {
        var volume = Ramp();
        Assert.Same(volume, Resampler.ToSpacing(volume, volume.Grid.SpacingMm));
    }

    [Fact]
    public void ToSpacing_ThickSlices_TakesTheNearestSlice()
    {
        var labels = new LabelVolume(Grid(new(2, 1, 1), new(1, 1, 4)), [1, 2]);
        Assert.Equal([1, 1, 2, 2], Resampler.ToSpacing(labels, new(1, 1, 2)).Labels);
    }

    [Fact]
    public void ToSpacing_LabelTie_IsBackground()
    {
        var labels = new LabelVolume(Grid(new(1, 1, 2), new(1, 1, 1)), [1, 2]);
        Assert.Equal([1, 0, 2], Resampler.ToSpacing(labels, new(2 / 3.0, 1, 1)).Labels);
    }

    [Fact]
    public void PerLabel_AbsentClass_IsNaN() => Assert.Equal([2 / 3.0, 2 / 3.0, double.NaN], DiceScore.PerLabel([0, 0, 1], [0, 1, 1], 3));
}

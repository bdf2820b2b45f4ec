using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

public sealed class ResamplerImageTests
{
    // Three passes each round to float: 3 · 2^-24 · 17, and the reference has six decimals.
    private const float Tolerance = 1e-5f;

    [Fact]
    public void ToSpacing_AllAxesChange_EqualsSciPy()
    {
        var image = new Volume(Grids.Straight(new Index3(4, 5, 6), 1, 1, 1), SciPyZoom.Image(4, 5, 6));

        var resampled = Resampler.ToSpacing(image, Grids.SpacingMm(4 / 3.0, 5 / 7.0, 6 / 4.0));

        Assert.Equal(new Index3(3, 7, 4), resampled.Grid.Size);
        Close(SciPyZoom.Cubic, resampled.Voxels, Tolerance);
    }

    [Fact]
    public void ToSpacing_CoarseSlices_InterpolatesInPlanesAndRepeatsTheNearest()
    {
        var planes = SciPyZoom.Image(2, 3, 4);
        for (var i = 12; i < 24; i++) planes[i] *= 10;
        var image = new Volume(Grids.Straight(new Index3(2, 3, 4), 8, 1, 1), planes);

        var resampled = Resampler.ToSpacing(image, Grids.SpacingMm(8 * 2 / 5.0, 3 / 4.0, 4 / 6.0));

        Assert.Equal(new Index3(5, 4, 6), resampled.Grid.Size);
        // New centres at −0.3, 0.1, 0.5 (halfway: up), 0.9 and 1.3 of the old slices.
        var (first, second) = (SciPyZoom.CubicInPlanes[..24], SciPyZoom.CubicInPlanes[24..]);
        Close([.. first, .. first, .. second, .. second, .. second], resampled.Voxels, 10 * Tolerance);
    }

    [Fact]
    public void ToSpacing_CoarseColumns_InterpolatesInPlanesAndRepeatsTheNearest()
    {
        // The same case lying on its side: [z, y, x] of the reference become [y, x, z] here, as after a turn of a sagittal stack.
        var planes = SciPyZoom.Image(2, 3, 4);
        for (var i = 12; i < 24; i++) planes[i] *= 10;
        var image = new Volume(Grids.Straight(new Index3(3, 4, 2), 1, 1, 8), SlicesToColumns(planes, 2));

        var resampled = Resampler.ToSpacing(image, Grids.SpacingMm(3 / 4.0, 4 / 6.0, 8));

        Assert.Equal(new Index3(4, 6, 2), resampled.Grid.Size);
        Close(SlicesToColumns(SciPyZoom.CubicInPlanes, 2), resampled.Voxels, 10 * Tolerance);
    }

    [Fact]
    public void ToSpacing_ConstantImage_StaysConstant()
    {
        var image = new Volume(Grids.Straight(new Index3(1, 2, 9), 1, 1, 1), [.. Enumerable.Repeat(-1000f, 18)]);

        var resampled = Resampler.ToSpacing(image, Grids.SpacingMm(0.5, 0.7, 1.7));

        Assert.All(resampled.Voxels, value => Assert.Equal(-1000f, value));
    }

    [Fact]
    public void ToSpacing_CubicPolynomial_IsReproducedAwayFromTheEnds()
    {
        static double Cubic(double x) => 0.001 * x * x * x - 0.05 * x * x + 0.3 * x + 2;
        var image = new Volume(Grids.Straight(new Index3(1, 1, 60), 1, 1, 1), [.. Enumerable.Range(0, 60).Select(i => (float)Cubic(i))]);

        var resampled = Resampler.ToSpacing(image, Grids.SpacingMm(1, 1, 0.6));

        Assert.Equal(100, resampled.Voxels.Length);
        for (var i = 35; i < 65; i++) Assert.Equal(Cubic((i + 0.5) * 0.6 - 0.5), resampled.Voxels[i], 1e-4);
    }

    [Fact]
    public void ToSpacing_SharpEdge_DoesNotLeaveTheRangeOfTheImage()
    {
        var image = new Volume(Grids.Straight(new Index3(1, 1, 6), 1, 1, 1), [0, 0, 12, 0, 0, 0]);

        var resampled = Resampler.ToSpacing(image, Grids.SpacingMm(1, 1, 0.5));

        // SciPy without clipping: .395935, −.815635, −1.477650, 3.231493, 10.577164 and on.
        Close([0.395935f, 0, 0, 3.231493f, 10.577164f, 10.577164f], resampled.Voxels[..6], Tolerance);
    }

    [Fact]
    public void ToSpacing_SizeUnchanged_ReturnsTheImageItself()
    {
        var image = new Volume(Grids.Straight(new Index3(2, 2, 2), 1, 1, 1), new float[8]);

        Assert.Same(image, Resampler.ToSpacing(image, Grids.SpacingMm(1.1, 0.9, 1)));
    }

    [Fact]
    public void ToSpacing_OneThreadOrMany_GivesTheSameBits()
    {
        var image = new Volume(Grids.Straight(new Index3(13, 29, 31), 1, 1, 1), SciPyZoom.Image(13, 29, 31));

        var alone = Resampler.ToSpacing(image, Grids.SpacingMm(0.7, 1.3, 0.9), maxThreads: 1);
        var together = Resampler.ToSpacing(image, Grids.SpacingMm(0.7, 1.3, 0.9), maxThreads: 7);

        Assert.Equal(alone.Voxels.Select(BitConverter.SingleToInt32Bits), together.Voxels.Select(BitConverter.SingleToInt32Bits));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void ToSpacing_SpacingThatIsNoLength_IsRefused(double spacingMm)
    {
        var image = new Volume(Grids.Straight(new Index3(1, 1, 1), 1, 1, 1), new float[1]);

        Assert.Throws<ArgumentException>(() => Resampler.ToSpacing(image, Grids.SpacingMm(1, spacingMm, 1)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void ToSpacing_VoxelThatIsNoNumber_IsRefused(float value)
    {
        // The spline would spread it over every line that meets it.
        var image = new Volume(Grids.Straight(new Index3(1, 1, 3), 1, 1, 1), [1, value, 2]);

        Assert.Throws<ArgumentException>(() => Resampler.ToSpacing(image, Grids.SpacingMm(1, 1, 0.5)));
    }

    [Fact]
    public void ToGrid_TargetOfToSpacing_GivesTheSameImage()
    {
        var image = new Volume(Grids.Straight(new Index3(4, 5, 6), 1, 1, 1), SciPyZoom.Image(4, 5, 6));
        var grid = Resampler.GridAt(image.Grid, Grids.SpacingMm(4 / 3.0, 5 / 7.0, 6 / 4.0));

        var resampled = Resampler.ToGrid(image, grid);

        Assert.Equal(grid, resampled.Grid);
        Close(SciPyZoom.Cubic, resampled.Voxels, Tolerance);
    }

    [Fact]
    public void ToGrid_ObliqueGrid_DoesNotDependOnDirections()
    {
        var directions = new AxisDirections(new(0, -0.6, 0.8), new(0, 0.8, 0.6), new(-1, 0, 0));
        var oblique = new GridGeometry(new Index3(4, 5, 6), new Vector3D(1, 1, 1), new Vector3D(7, -3, 250), directions);
        var target = Resampler.GridAt(oblique, Grids.SpacingMm(4 / 3.0, 5 / 7.0, 6 / 4.0));

        var resampled = Resampler.ToGrid(new Volume(oblique, SciPyZoom.Image(4, 5, 6)), target);

        Assert.Equal(directions, resampled.Grid.Directions);
        Close(SciPyZoom.Cubic, resampled.Voxels, Tolerance);
    }

    /// <summary>The grid of four columns of 1 mm, moved, stretched, turned or grown.</summary>
    public static TheoryData<string> OtherBoxes => ["moved by 0.01 mm", "spacing 1.01", "turned by 0.6°", "one row more"];

    [Theory]
    [MemberData(nameof(OtherBoxes))]
    public void ToGrid_AnotherBox_IsRefused(string change)
    {
        var grid = Grids.Straight(new Index3(1, 3, 4), 1, 1, 1);
        var other = change switch
        {
            "moved by 0.01 mm" => grid with { OriginMm = grid.OriginMm + new Vector3D(0, 0, 0.01) },
            "spacing 1.01" => grid with { SpacingMm = grid.SpacingMm with { X = 1.01 } },
            "turned by 0.6°" => grid with { Directions = grid.Directions with { Column = new(0.99995, 0.01, 0) } },
            _ => grid with { Size = new Index3(1, 4, 4) },
        };

        Assert.Throws<ArgumentException>(() => Resampler.ToGrid(new Volume(grid, new float[12]), other));
    }

    private static float[] SlicesToColumns(float[] values, int slices)
    {
        var plane = values.Length / slices;
        return [.. Enumerable.Range(0, values.Length).Select(i => values[i % slices * plane + i / slices])];
    }

    private static void Close(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }
}

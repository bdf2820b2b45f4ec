using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

/// <summary>
/// Golden numbers: shared/reference/metrics.md sections 4.3 (the projects' own tests) and 4.4 (MONAI, MetricsReloaded and
/// surface-distance run on these masks).
/// </summary>
public sealed class SegmentationMetricsTests
{
    private static LabelMetrics Only(LabelVolume reference, LabelVolume prediction) =>
        Assert.Single(SegmentationMetrics.Compute(reference, prediction, new MetricsOptions { ToleranceMm = 1 }));

    [Theory]
    [InlineData(1, 1, .5, 1, 1)]
    [InlineData(2, 2, .833333, .666667, .722498)]
    public void Compute_ShiftedSquare_GivesGoldenNumbers(double rowSpacing, double hd, double assd, double nsd, double surfaceDice)
    {
        var spacing = new Vector3D(1, rowSpacing, 1);
        var m = Only(
            LabelMaps.Boxes(new(1, 12, 12), spacing, (new(0, 2, 2), new(1, 6, 6))),
            LabelMaps.Boxes(new(1, 12, 12), spacing, (new(0, 3, 2), new(1, 7, 6))));
        Assert.Equal([.75, .6, 1], [m.Dice, m.Iou, m.VolumeSimilarity], (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(hd, m.Hd, 1e-5);
        Assert.Equal(hd, m.Hd95, 1e-5);
        Assert.Equal(assd, m.Assd, 1e-5);
        Assert.Equal(nsd, m.Nsd, 1e-5);
        Assert.Equal(surfaceDice, m.SurfaceDice, 1e-5);
    }

    [Fact]
    public void Compute_Boxes_GivesGoldenNumbers()
    {
        var m = Only(
            LabelMaps.Boxes(new(16, 16, 16), new(1, 1, 1), (new(4, 4, 4), new(10, 10, 10))),
            LabelMaps.Boxes(new(16, 16, 16), new(1, 1, 1), (new(4, 4, 5), new(10, 10, 12))));
        Assert.Equal((180, 72, 36), (m.Tp, m.Fp, m.Fn));
        double[] expected = [.769231, .625, .923077, 2, 2, .506173, .498164, .876543];
        Assert.Equal(expected, [m.Dice, m.Iou, m.VolumeSimilarity, m.Hd, m.Hd95, m.Assd, m.Masd, m.Nsd], (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal([.880801, .166667], [m.SurfaceDice, m.RelativeVolumeDifference], (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Compute_FarStrayVoxel_GivesGoldenNumbers()
    {
        var cube = (new Index3(5, 5, 5), new Index3(11, 11, 11));
        var m = Only(
            LabelMaps.Boxes(new(20, 20, 20), new(1, 1, 1), cube),
            LabelMaps.Boxes(new(20, 20, 20), new(1, 1, 1), cube, (new(18, 18, 18), new(19, 19, 19))));
        double[] expected = [.997691, 13.856406, 0, .045431, .996721, 0, .995559];
        Assert.Equal(expected, [m.Dice, m.Hd, m.Hd95, m.Assd, m.Nsd, m.SurfaceHd95, m.SurfaceDice], (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Compute_SpheresOneVoxelApart_GivesMonaiMeanDistance()
    {
        // Cut by the image's edge, which thus counts as their surface.
        Assert.Equal(0.350212007, Only(Sphere(33, new(19, 33, 22)), Sphere(33, new(20, 33, 22))).Masd, 1e-8);
    }

    // MONAI's spheres in 99³; centre and radius in mm, spacing [z, y, x].
    [Fact]
    public void Compute_ShiftedSpheres_GivesMonaiNumbers()
    {
        var m = Only(Sphere(20, new(20, 20, 20)), Sphere(20, new(19, 19, 19)));

        Assert.Equal(1.7320508, m.Hd, 1e-6);
    }

    [Fact]
    public void Compute_SphereInACutOne_GivesMonaiNumbers()
    {
        var m = Only(Sphere(20, new(20, 33, 22)), Sphere(40, new(20, 33, 22)));

        Assert.Equal(20.2237484, m.Hd, 1e-6);
        Assert.Equal(20.0997512, m.Hd95, 1e-6);
        Assert.Equal(15.117741, m.Assd, 1e-5);
        Assert.Equal(13.9756737, m.Masd, 1e-6);
    }

    [Theory]
    [InlineData(20, 20, 20, 20, 20, 19, 19, 19, 2.2671568)]
    [InlineData(15, 20, 33, 22, 30, 20, 33, 22, 15.62594)]
    public void Compute_SpheresOnUnequalSpacing_GivesMonaiHausdorff(
        double radius, int z, int y, int x, double otherRadius, int otherZ, int otherY, int otherX, double hd)
    {
        var spacing = new Vector3D(Z: .85, Y: 1.2, X: .9);

        var m = Only(LabelMaps.Sphere(radius, new(z, y, x), spacing), LabelMaps.Sphere(otherRadius, new(otherZ, otherY, otherX), spacing));

        Assert.Equal(hd, m.Hd, 1e-5);
    }

    [Fact]
    public void Compute_SpheresOnUnequalSpacing_GivesMonaiSurfaceDistance()
    {
        var spacing = new Vector3D(Z: .85, Y: 1.2, X: .9);

        Assert.Equal(.4951, Only(LabelMaps.Sphere(33, new(42, 45, 52), spacing), LabelMaps.Sphere(33, new(43, 45, 52), spacing)).Assd, 5e-5);
    }

    [Fact]
    public void Compute_HalvesOfAPicture_GivesMonaiNsd()
    {
        var size = new Index3(1, 480, 640);
        var wide = LabelMaps.Boxes(size, new(1, 1, 1), (new(0, 0, 50), new(1, 480, 640)));
        var narrow = LabelMaps.Boxes(size, new(1, 1, 1), (new(0, 0, 60), new(1, 480, 640)));

        var m = Assert.Single(SegmentationMetrics.Compute(narrow, wide, new MetricsOptions { ToleranceMm = 0 }));

        Assert.Equal(1 - (478 + 480 + 18) / (480 * 4 + 588 * 2 + 578 * 2.0), m.Nsd, 1e-12);
    }

    // Nearest distances are √29, √34 and √41, each twice.
    [Theory]
    [InlineData(5.38, 0)]
    [InlineData(5.39, 2 / 6.0)]
    [InlineData(5.84, 4 / 6.0)]
    [InlineData(6.41, 1)]
    public void Compute_TwoBars_CountsThoseWithinTheTolerance(double tolerance, double nsd)
    {
        var size = new Index3(1, 10, 10);
        var reference = LabelMaps.Boxes(size, new(1, 1, 1), (new(0, 5, 6), new(1, 8, 7)));
        var prediction = LabelMaps.Boxes(size, new(1, 1, 1), (new(0, 1, 1), new(1, 4, 2)));

        var m = Assert.Single(SegmentationMetrics.Compute(reference, prediction, new MetricsOptions { ToleranceMm = tolerance }));

        Assert.Equal(nsd, m.Nsd, 1e-12);
        Assert.Equal(Math.Sqrt(41), m.Hd, 1e-12);
    }

    [Theory]
    [InlineData(6, 8, 4, 0, 12, 1.07, 1.10, .75)]
    [InlineData(4, 10, 16, 20, 0, 1.04, 1.05, .875)]
    public void Compute_SquareTooSmallOrTooLarge_GivesMetricsReloadedNumbers(
        int start, int end, int tp, int fp, int fn, double masd, double assd, double nsd)
    {
        var size = new Index3(1, 14, 14);
        var m = Only(
            LabelMaps.Boxes(size, new(1, 1, 1), (new(0, 5, 5), new(1, 9, 9))),
            LabelMaps.Boxes(size, new(1, 1, 1), (new(0, start, start), new(1, end, end))));

        Assert.Equal((tp, fp, fn), (m.Tp, m.Fp, m.Fn));
        Assert.Equal(Math.Sqrt(2), m.Hd, 1e-12);
        Assert.Equal(nsd, m.Nsd, 1e-12);
        // The paper gives two decimals.
        Assert.Equal([masd, assd], [m.Masd, m.Assd], (a, b) => Math.Abs(a - b) < 0.005);
    }

    [Fact]
    public void Compute_MissedPixelFarAway_GivesMetricsReloadedNumbers()
    {
        var size = new Index3(1, 14, 14);
        var square = (new Index3(0, 9, 9), new Index3(1, 12, 12));

        var m = Only(LabelMaps.Boxes(size, new(1, 1, 1), (new(0, 1, 1), new(1, 2, 2)), square), LabelMaps.Boxes(size, new(1, 1, 1), square));

        Assert.Equal(Math.Sqrt(128), m.Hd, 1e-12);
        Assert.Equal(6.79, m.Hd95, 0.005);
    }

    [Fact]
    public void Compute_MonaiSquare_GivesDiceAndIou()
    {
        var grid = new GridGeometry(new(1, 2, 2), new(1, 1, 1), new(0, 0, 0), new(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));

        var m = Only(new LabelVolume(grid, [1, 0, 1, 1]), new LabelVolume(grid, [1, 0, 0, 1]));

        Assert.Equal(.8, m.Dice, 1e-12);
        Assert.Equal(2 / 3.0, m.Iou, 1e-12);
    }

    [Fact]
    public void Compute_SeveralLabels_MeasuresEachAsIfAlone()
    {
        var size = new Index3(8, 9, 10);
        var alone = LabelMaps.Boxes(size, new(1, 1, 1), (new(1, 1, 1), new(4, 5, 6)));
        var reference = new LabelVolume(alone.Grid, [.. alone.Labels]);
        var prediction = new LabelVolume(alone.Grid, [.. LabelMaps.Boxes(size, new(1, 1, 1), (new(1, 2, 1), new(5, 5, 6))).Labels]);
        var single = Only(alone, new LabelVolume(alone.Grid, [.. prediction.Labels]));
        reference.Labels.AsSpan(^90..).Fill(7);
        prediction.Labels.AsSpan(^45..).Fill(9);

        var metrics = SegmentationMetrics.Compute(reference, prediction, new MetricsOptions());

        Assert.Equal([1, 7, 9], metrics.Select(m => (int)m.Label));
        Assert.Equal(single, metrics[0]);
        Assert.Equal((Emptiness.PredictionEmpty, 0L, 90L), (metrics[1].Emptiness, metrics[1].Fp, metrics[1].Fn));
        Assert.Equal((Emptiness.ReferenceEmpty, 45L, 0L), (metrics[2].Emptiness, metrics[2].Fp, metrics[2].Fn));
    }

    [Fact]
    public void Compute_NothingInEitherMap_HasNoRecords()
    {
        var nothing = LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 1));

        Assert.Empty(SegmentationMetrics.Compute(nothing, nothing, new MetricsOptions()));
    }

    [Fact]
    public void ComputeLabel_BothEmpty_IsNaNAndSaysSo()
    {
        var nothing = LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 1));

        var m = Assert.Single(SegmentationMetrics.Compute(nothing, nothing, [1], new MetricsOptions()));

        Assert.Equal(Emptiness.BothEmpty, m.Emptiness);
        Assert.All(
            [m.Dice, m.Iou, m.VolumeSimilarity, m.RelativeVolumeDifference, m.Hd, m.Hd95, m.Assd, m.Masd, m.Nsd, m.SurfaceDice, m.SurfaceHd95],
            value => Assert.Equal(double.NaN, value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ComputeLabel_OneEmpty_HasNoOverlapAndNoDistance(bool referenceEmpty)
    {
        var (nothing, voxel) = (LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 1)), LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 1), (new(1, 1, 1), new(2, 2, 2))));

        var m = referenceEmpty ? Only(nothing, voxel) : Only(voxel, nothing);

        Assert.Equal(referenceEmpty ? Emptiness.ReferenceEmpty : Emptiness.PredictionEmpty, m.Emptiness);
        Assert.Equal(referenceEmpty ? (0L, 1L, 0L) : (0L, 0L, 1L), (m.Tp, m.Fp, m.Fn));
        Assert.All([m.Dice, m.Iou, m.VolumeSimilarity, m.Nsd, m.SurfaceDice], value => Assert.Equal(0, value));
        Assert.All([m.Hd, m.Hd95, m.Assd, m.Masd, m.SurfaceHd95], value => Assert.Equal(double.NaN, value));
    }

    [Fact]
    public void Compute_MapsOnDifferentGrids_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => Only(LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 1)), LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 2))));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Compute_ToleranceThatIsNoLength_IsRefused(double tolerance)
    {
        var nothing = LabelMaps.Boxes(new(4, 4, 4), new(1, 1, 1));
        var options = new MetricsOptions { ToleranceMm = tolerance };

        Assert.Throws<ArgumentException>(() => SegmentationMetrics.Compute(nothing, nothing, options));
    }

    [Fact]
    public void Compute_HalfSpaces_GivesDeepMindNumbers()
    {
        var (size, spacing) = (new Index3(100, 100, 100), new Vector3D(X: 1, Y: 1, Z: 2));

        var m = Only(
            LabelMaps.Boxes(size, spacing, (new(0, 0, 0), new(50, 100, 100))), LabelMaps.Boxes(size, spacing, (new(0, 0, 0), new(51, 100, 100))));

        Assert.Equal([.836, .990], [m.SurfaceDice, m.Dice], (a, b) => Math.Abs(a - b) < 5e-4);
        Assert.Equal(2, m.SurfaceHd95, 1e-5);
    }

    private static LabelVolume Sphere(double radiusMm, Index3 centreMm) => LabelMaps.Sphere(radiusMm, centreMm, new(1, 1, 1));
}

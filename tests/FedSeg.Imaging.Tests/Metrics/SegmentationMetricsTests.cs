using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

/// <summary>Golden numbers: shared/reference/metrics.md section 4.4 (MONAI and MetricsReloaded run on these masks).</summary>
public sealed class SegmentationMetricsTests
{
    private static LabelVolume Map(Index3 size, Vector3D spacing, params (Index3 From, Index3 To)[] boxes)
    {
        var grid = new GridGeometry(size, spacing, new(0, 0, 0), new(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));
        var labels = new byte[grid.VoxelCount];
        foreach (var (from, to) in boxes)
            for (var z = from.Z; z < to.Z; z++)
            for (var y = from.Y; y < to.Y; y++)
            for (var x = from.X; x < to.X; x++)
                labels[(z * size.Y + y) * size.X + x] = 1;
        return new LabelVolume(grid, labels);
    }

    private static LabelMetrics Only(LabelVolume reference, LabelVolume prediction) =>
        Assert.Single(SegmentationMetrics.Compute(reference, prediction, new MetricsOptions { ToleranceMm = 1 }));

    [Theory]
    [InlineData(1, 1, 1, .5, 1)]
    [InlineData(2, 2, double.NaN, .833333, .666667)]
    public void Compute_ShiftedSquare_GivesGoldenNumbers(double rowSpacing, double hd, double hd95, double assd, double nsd)
    {
        var spacing = new Vector3D(1, rowSpacing, 1);
        var m = Only(Map(new(1, 12, 12), spacing, (new(0, 2, 2), new(1, 6, 6))), Map(new(1, 12, 12), spacing, (new(0, 3, 2), new(1, 7, 6))));
        Assert.Equal([.75, .6, 1], [m.Dice, m.Iou, m.VolumeSimilarity], (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(hd, m.Hd, 1e-5);
        if (!double.IsNaN(hd95)) Assert.Equal(hd95, m.Hd95, 1e-5);
        Assert.Equal(assd, m.Assd, 1e-5);
        Assert.Equal(nsd, m.Nsd, 1e-5);
    }

    [Fact]
    public void Compute_Boxes_GivesGoldenNumbers()
    {
        var m = Only(
            Map(new(16, 16, 16), new(1, 1, 1), (new(4, 4, 4), new(10, 10, 10))),
            Map(new(16, 16, 16), new(1, 1, 1), (new(4, 4, 5), new(10, 10, 12))));
        Assert.Equal((180, 72, 36), (m.Tp, m.Fp, m.Fn));
        double[] expected = [.769231, .625, .923077, 2, 2, .506173, .498164, .876543];
        Assert.Equal(expected, [m.Dice, m.Iou, m.VolumeSimilarity, m.Hd, m.Hd95, m.Assd, m.Masd, m.Nsd], (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Compute_FarStrayVoxel_GivesGoldenNumbers()
    {
        var cube = (new Index3(5, 5, 5), new Index3(11, 11, 11));
        var m = Only(Map(new(20, 20, 20), new(1, 1, 1), cube), Map(new(20, 20, 20), new(1, 1, 1), cube, (new(18, 18, 18), new(19, 19, 19))));
        double[] expected = [.997691, 13.856406, 0, .045431, .996721];
        Assert.Equal(expected, [m.Dice, m.Hd, m.Hd95, m.Assd, m.Nsd], (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Compute_EmptyPrediction_SaysSo()
    {
        var m = Only(Map(new(4, 4, 4), new(1, 1, 1), (new(1, 1, 1), new(2, 2, 2))), Map(new(4, 4, 4), new(1, 1, 1)));
        Assert.Equal((Emptiness.PredictionEmpty, 0.0, double.NaN), (m.Emptiness, m.Dice, m.Hd));
    }
}

using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

/// <summary>
/// Golden numbers of shared/reference/metrics.md that look at one direction or at the surface itself: section 4.3 (the projects' own tests)
/// and 4.4 (DeepMind's surface-distance run on these masks; three decimals where its tests have no more).
/// </summary>
public sealed class SurfaceDistancesTests
{
    private static (SurfaceDistances Distances, double[] Totals) Surfels(LabelVolume reference, LabelVolume prediction)
    {
        var (ours, theirs, spacing) = Masks(reference, prediction);
        var distances = SurfaceDistances.Between(SurfelBoundary.Of(ours, spacing), SurfelBoundary.Of(theirs, spacing), spacing);
        return (distances, [distances.ToPrediction.Total, distances.ToReference.Total]);
    }

    private static (LabelMask Reference, LabelMask Prediction, Vector3D Spacing) Masks(LabelVolume reference, LabelVolume prediction)
    {
        var overlap = LabelOverlap.Scan(reference, prediction)[1]!;
        return (new LabelMask(reference, 1, overlap), new LabelMask(prediction, 1, overlap), reference.Grid.SpacingMm);
    }

    [Theory]
    [InlineData(1, 4 * 1.118034)]
    [InlineData(100, 8 * 0.875)]
    public void Between_TwoVoxelsApart_GivesDeepMindNumbers(int slices, double surface)
    {
        var (size, spacing) = (new Index3(slices, 100, 100), new Vector3D(X: 1, Y: 2, Z: 3));
        var z = slices / 2;

        var (d, totals) = Surfels(
            LabelMaps.Boxes(size, spacing, (new(z, 50, 70), new(z + 1, 51, 71))), LabelMaps.Boxes(size, spacing, (new(z, 50, 72), new(z + 1, 51, 73))));

        Assert.Equal([surface, surface], totals, Near(1e-5));
        Assert.Equal([1.5, 1.5], [d.ToPrediction.Mean, d.ToReference.Mean], Near(1e-5));
        Assert.Equal([2.0, 2, 2], [d.Hausdorff, d.WeightedHausdorffPercentile(100), d.WeightedHausdorffPercentile(95)], Near(1e-5));
        Assert.Equal([.5, .5, .5], [ShareWithin(d.ToPrediction, 1), ShareWithin(d.ToReference, 1), d.ShareWithin(1)], Near(1e-5));
    }

    [Fact]
    public void Between_HalfSpaces_GivesDeepMindNumbers()
    {
        var (size, spacing) = (new Index3(100, 100, 100), new Vector3D(X: 1, Y: 1, Z: 2));

        var (d, _) = Surfels(
            LabelMaps.Boxes(size, spacing, (new(0, 0, 0), new(50, 100, 100))), LabelMaps.Boxes(size, spacing, (new(0, 0, 0), new(51, 100, 100))));

        Assert.Equal([.322, .339], [d.ToPrediction.Mean, d.ToReference.Mean], Near(5e-4));
        Assert.Equal([2.0, 2], [d.Hausdorff, d.WeightedHausdorffPercentile(100)], Near(1e-5));
        Assert.Equal([.842, .830, .836], [ShareWithin(d.ToPrediction, 1), ShareWithin(d.ToReference, 1), d.ShareWithin(1)], Near(5e-4));
    }

    // 12×12, rows 1 or 2 mm apart (A and A2).
    [Theory]
    [InlineData(1, .5, 1, 14.828427)]
    [InlineData(2, .644004, .722498, 22.472136)]
    public void Between_ShiftedSquare_GivesDeepMindNumbers(double rowSpacing, double mean, double surfaceDice, double perimeter)
    {
        var (size, spacing) = (new Index3(1, 12, 12), new Vector3D(X: 1, Y: rowSpacing, Z: 1));

        var (d, totals) = Surfels(
            LabelMaps.Boxes(size, spacing, (new(0, 2, 2), new(1, 6, 6))), LabelMaps.Boxes(size, spacing, (new(0, 3, 2), new(1, 7, 6))));

        Assert.Equal([perimeter, perimeter], totals, Near(1e-5));
        Assert.Equal([mean, mean], [d.ToPrediction.Mean, d.ToReference.Mean], Near(1e-5));
        Assert.Equal(surfaceDice, d.ShareWithin(1), 1e-5);
    }

    [Fact]
    public void Between_Boxes_GivesDeepMindNumbers()
    {
        var (size, spacing) = (new Index3(16, 16, 16), new Vector3D(1, 1, 1));

        var (d, totals) = Surfels(
            LabelMaps.Boxes(size, spacing, (new(4, 4, 4), new(10, 10, 10))), LabelMaps.Boxes(size, spacing, (new(4, 4, 5), new(10, 10, 12))));

        Assert.Equal([194.158458, 216.986885], totals, Near(1e-5));
        Assert.Equal([.381174, .589182], [d.ToPrediction.Mean, d.ToReference.Mean], Near(1e-5));
        Assert.Equal(.880801, d.ShareWithin(1), 1e-5);
    }

    [Fact]
    public void Between_Boxes_CountsTheBoundaryVoxels()
    {
        var (size, spacing) = (new Index3(16, 16, 16), new Vector3D(1, 1, 1));
        var (ours, theirs, _) = Masks(
            LabelMaps.Boxes(size, spacing, (new(4, 4, 4), new(10, 10, 10))), LabelMaps.Boxes(size, spacing, (new(4, 4, 5), new(10, 10, 12))));

        var d = SurfaceDistances.Between(VoxelBoundary.Of(ours), VoxelBoundary.Of(theirs), spacing);

        Assert.Equal([152.0, 172], [d.ToPrediction.Total, d.ToReference.Total]);
    }

    [Fact]
    public void Between_FarStrayVoxel_GivesDeepMindNumbers()
    {
        var (size, spacing, cube) = (new Index3(20, 20, 20), new Vector3D(1, 1, 1), (new Index3(5, 5, 5), new Index3(11, 11, 11)));

        var (d, _) = Surfels(LabelMaps.Boxes(size, spacing, cube), LabelMaps.Boxes(size, spacing, cube, (new(18, 18, 18), new(19, 19, 19))));

        Assert.Equal([0, .11503, .995559], [d.WeightedHausdorffPercentile(95), d.ToReference.Mean, d.ShareWithin(1)], Near(1e-5));
    }

    // The same spheres as SegmentationMetricsTests, from the small one's boundary alone.
    [Fact]
    public void Between_SphereToACutOne_GivesMonaiDirectedNumbers()
    {
        var unit = new Vector3D(1, 1, 1);
        var (ours, theirs, _) = Masks(LabelMaps.Sphere(20, new(20, 33, 22), unit), LabelMaps.Sphere(40, new(20, 33, 22), unit));

        var d = SurfaceDistances.Between(VoxelBoundary.Of(ours), VoxelBoundary.Of(theirs), unit).ToPrediction;

        Assert.Equal([20.0997512, 19.9248588, 12.040034], [d.Largest, d.Percentile(95), d.Mean], Near(1e-5));
    }

    [Fact]
    public void Between_MapsReadByOneThreadOrMany_GivesTheSameBits()
    {
        var spacing = new Vector3D(X: .9, Y: 1.2, Z: .85);
        var (reference, prediction) = (LabelMaps.Sphere(20, new(20, 20, 20), spacing), LabelMaps.Sphere(30, new(20, 33, 22), spacing));

        var runs = Enumerable.Range(0, 4).Select(_ => Surfels(reference, prediction).Distances.ToPrediction.Sum).Distinct();

        Assert.Single(runs);
    }

    private static double ShareWithin(DirectedDistances distances, double toleranceMm) => distances.WeightWithin(toleranceMm) / distances.Total;

    private static Func<double, double, bool> Near(double tolerance) => (a, b) => Math.Abs(a - b) <= tolerance;
}

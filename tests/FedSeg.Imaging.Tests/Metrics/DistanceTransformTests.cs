using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class DistanceTransformTests
{
    [Theory]
    [InlineData(1, 7, 40)]
    [InlineData(9, 11, 37)]
    [InlineData(40, 3, 1)]
    public void Between_ScatteredPoints_EqualsTheSearchOfAllPairs(int slices, int rows, int columns)
    {
        var size = new Index3(slices, rows, columns);
        var spacing = new Vector3D(X: 0.7, Y: 1.3, Z: 2.9);
        int[] from = [.. Enumerable.Range(0, slices * rows * columns).Where(i => (i * 104729 + 3) % 11 == 0)];
        int[] to = [.. Enumerable.Range(0, slices * rows * columns).Where(i => (i * 7919 + 13) % 61 == 0)];
        Assert.NotEmpty(to);

        var found = Transformed(new DistanceTransform(size, spacing), Points.Marked(size, from), Points.Marked(size, to));

        var searched = from.Select(a => to.Min(b => Points.DistanceMm(a, b, size, spacing))).Order().ToArray();
        for (var i = 0; i < searched.Length; i++) Assert.Equal(searched[i], found.Percentile(100.0 * i / (searched.Length - 1)), 1e-9);
        Assert.Equal(searched.Sum(), found.Sum, 1e-9);
        Assert.Equal(from.Length, found.Total);
    }

    [Fact]
    public void Between_SecondCall_ForgetsTheFirst()
    {
        var size = new Index3(2, 2, 2);
        var transform = new DistanceTransform(size, new Vector3D(1, 1, 1));
        Transformed(transform, Points.Marked(size, [0]), Points.Marked(size, [0]));

        Assert.Equal(Math.Sqrt(3), Transformed(transform, Points.Marked(size, [0]), Points.Marked(size, [7])).Largest);
    }

    [Fact]
    public void Between_NothingThere_IsInfinitelyFar()
    {
        var size = new Index3(1, 1, 2);

        var found = Transformed(new DistanceTransform(size, new Vector3D(1, 1, 1)), Points.Marked(size, [0]), Points.Marked(size, []));

        Assert.Equal(double.PositiveInfinity, found.Largest);
    }

    private static DirectedDistances Transformed(DistanceTransform transform, Points from, Points to) =>
        new(transform.WeightBySquaredDistance(from.Points, from, to.Points));
}

using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class DistanceTransformTests
{
    private static readonly double[] Once = [0, 1];

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

        var found = new DistanceTransform(size, spacing).Between(Marked(size, from), Marked(size, to));

        var searched = from.Select(a => to.Min(b => Between(a, b, size, spacing))).Order().ToArray();
        for (var i = 0; i < searched.Length; i++) Assert.Equal(searched[i], found.Percentile(100.0 * i / (searched.Length - 1)), 1e-9);
        Assert.Equal(searched.Sum(), found.Sum, 1e-9);
        Assert.Equal(from.Length, found.Total);
    }

    [Fact]
    public void Between_SecondCall_ForgetsTheFirst()
    {
        var size = new Index3(2, 2, 2);
        var transform = new DistanceTransform(size, new Vector3D(1, 1, 1));
        transform.Between(Marked(size, [0]), Marked(size, [0]));

        Assert.Equal(Math.Sqrt(3), transform.Between(Marked(size, [0]), Marked(size, [7])).Largest);
    }

    [Fact]
    public void Between_NothingThere_IsInfinitelyFar()
    {
        var size = new Index3(1, 1, 2);

        Assert.Equal(double.PositiveInfinity, new DistanceTransform(size, new Vector3D(1, 1, 1)).Between(Marked(size, [0]), Marked(size, [])).Largest);
    }

    private static SurfaceMap Marked(Index3 size, int[] points)
    {
        var codes = new byte[size.Z * size.Y * size.X];
        foreach (var point in points) codes[point] = 1;
        return new SurfaceMap(size, codes, Once);
    }

    private static double Between(int a, int b, Index3 size, Vector3D spacing)
    {
        var plane = size.Y * size.X;
        var dz = (a / plane - b / plane) * spacing.Z;
        var dy = (a / size.X % size.Y - b / size.X % size.Y) * spacing.Y;
        var dx = (a % size.X - b % size.X) * spacing.X;
        return Math.Sqrt(dz * dz + dy * dy + dx * dx);
    }
}

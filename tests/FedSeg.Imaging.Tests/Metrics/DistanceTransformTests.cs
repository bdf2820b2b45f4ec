using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class DistanceTransformTests
{
    [Theory]
    [InlineData(1, 7, 40)]
    [InlineData(9, 11, 37)]
    [InlineData(40, 3, 1)]
    public void Squared_ScatteredMarks_EqualsTheSearchOfAllPairs(int slices, int rows, int columns)
    {
        var size = new Index3(slices, rows, columns);
        var spacing = new Vector3D(X: 0.7, Y: 1.3, Z: 2.9);
        int[] marks = [.. Enumerable.Range(0, slices * rows * columns).Where(i => (i * 7919 + 13) % 61 == 0)];
        Assert.NotEmpty(marks);

        var squared = new DistanceTransform(size, spacing).Squared(marks).ToArray();

        for (var i = 0; i < squared.Length; i++) Assert.Equal(marks.Min(mark => Between(i, mark, size, spacing)), squared[i], 1e-9);
    }

    [Fact]
    public void Squared_SecondCall_ForgetsTheFirst()
    {
        var transform = new DistanceTransform(new Index3(2, 2, 2), new Vector3D(1, 1, 1));
        transform.Squared([0]);

        Assert.Equal([3, 2, 2, 1, 2, 1, 1, 0], transform.Squared([7]).ToArray());
    }

    [Fact]
    public void Squared_NothingMarked_IsInfinite()
    {
        var transform = new DistanceTransform(new Index3(1, 1, 2), new Vector3D(1, 1, 1));

        Assert.Equal([double.PositiveInfinity, double.PositiveInfinity], transform.Squared([]).ToArray());
    }

    private static double Between(int a, int b, Index3 size, Vector3D spacing)
    {
        var plane = size.Y * size.X;
        var dz = (a / plane - b / plane) * spacing.Z;
        var dy = (a / size.X % size.Y - b / size.X % size.Y) * spacing.Y;
        var dx = (a % size.X - b % size.X) * spacing.X;
        return dz * dz + dy * dy + dx * dx;
    }
}

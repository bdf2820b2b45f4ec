using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class NearbySearchTests
{
    // Rows of less than a word, of exactly one, two and a bit; spacings of which each axis is once the coarsest; dense and sparse points.
    [Theory]
    [InlineData(1, 7, 40, 0.7, 1.3, 2.9, 3)]
    [InlineData(9, 11, 37, 0.7, 1.3, 2.9, 61)]
    [InlineData(5, 6, 64, 4, 0.6, 0.6, 61)]
    [InlineData(3, 5, 130, 0.5, 3, 0.5, 97)]
    [InlineData(40, 3, 1, 1, 1, 1, 31)]
    public void Between_ScatteredPoints_EqualsTheSearchOfAllPairs(
        int slices, int rows, int columns, double x, double y, double z, int everyNth)
    {
        var (size, spacing) = (new Index3(slices, rows, columns), new Vector3D(X: x, Y: y, Z: z));
        int[] from = [.. Enumerable.Range(0, slices * rows * columns).Where(i => (i * 104729 + 3) % 7 == 0)];
        int[] to = [.. Enumerable.Range(0, slices * rows * columns).Where(i => (i * 7919 + 13) % everyNth == 0)];
        Assert.NotEmpty(to);

        var found = SurfaceDistances.Between(Points.Marked(size, from), Points.Marked(size, to), spacing).ToPrediction;

        var searched = from.Select(a => to.Min(b => Points.DistanceMm(a, b, size, spacing))).Order().ToArray();
        for (var i = 0; i < searched.Length; i++) Assert.Equal(searched[i], found.Percentile(100.0 * i / (searched.Length - 1)), 1e-9);
        Assert.Equal(searched.Sum(), found.Sum, 1e-9);
        Assert.Equal(from.Length, found.Total);
    }

    // From far nearer than it looks to far farther: along the row, the column and the slices.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Between_OnePointToOne_IsExactAtAnyDistance(int axis)
    {
        var size = new Index3(axis == 0 ? 100 : 1, axis == 1 ? 100 : 1, axis == 2 ? 100 : 1);
        for (var away = 0; away < 100; away++)
        {
            var found = SurfaceDistances.Between(Points.Marked(size, [0]), Points.Marked(size, [away]), new Vector3D(0.8, 0.8, 0.8));

            Assert.Equal(away * 0.8, found.ToPrediction.Largest, 1e-9);
            Assert.Equal(away * 0.8, found.ToReference.Largest, 1e-9);
        }
    }

    [Fact]
    public void WeightBySquaredDistance_FarPoints_AreLeftOver()
    {
        var size = new Index3(1, 1, 200);
        var far = new BitGrid(size);

        var near = new NearbySearch(new Vector3D(1, 1, 1)).WeightBySquaredDistance(
            Points.Marked(size, [0, 99, 100, 199]), Points.Marked(size, [98]).Points, z: 0, far);

        Assert.Equal([(1.0, 1.0), (4.0, 1.0)], near.Select(entry => (entry.Key, entry.Value)).Order());
        Assert.Equal([0, 199], Enumerable.Range(0, 200).Where(x => BitGrid.IsSet(far.Row(0, 0), x)));
    }
}

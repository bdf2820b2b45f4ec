using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class GridSamplingTests
{
    private static readonly GridGeometry Fine = SyntheticCases.Grid(4, 6, 8);

    // A plane in patient space: what trilinear interpolation reproduces exactly.
    private static float[] Plane(GridGeometry grid) =>
        [.. from z in Enumerable.Range(0, grid.Size.Z)
            from y in Enumerable.Range(0, grid.Size.Y)
            from x in Enumerable.Range(0, grid.Size.X)
            let p = grid.PositionMm(z, y, x)
            select (float)(2 * p.X - 3 * p.Y + 0.5 * p.Z)];

    [Fact]
    public void Linear_LinearFieldOntoACoarserGrid_IsExact()
    {
        var coarse = CanonicalGrid.Of(Fine, [2, 2, 2]);
        Assert.Equal(Plane(coarse), new GridSampling(Fine, coarse).Linear(Plane(Fine)), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void Linear_FlippedAndPermutedThereAndBack_IsTheOriginal()
    {
        var study = Fine with { Directions = new AxisDirections(new Vector3D(-1, 0, 0), new Vector3D(0, 0, -1), new Vector3D(0, 1, 0)) };
        var canonical = CanonicalGrid.Of(study, [1, 1, 1]);
        var values = Enumerable.Range(0, study.VoxelCount).Select(i => (float)(i * 37 % 101)).ToArray();
        var there = new GridSampling(study, canonical).Linear(values);
        Assert.NotEqual(values, there);
        Assert.Equal(values, new GridSampling(canonical, study).Linear(there), (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Fact]
    public void Linear_HandWorked_MixesTheNeighbours()
    {
        var source = SyntheticCases.Grid(1, 1, 4);
        var target = source with { Size = new Index3(1, 1, 2), SpacingMm = new Vector3D(2, 1, 1), OriginMm = new Vector3D(0.25, 0, 0) };
        Assert.Equal([2.5f, 22.5f], new GridSampling(source, target).Linear([0, 10, 20, 30]), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void Nearest_Outside_IsTheEdge()
    {
        var source = SyntheticCases.Grid(1, 1, 3);
        var target = source with { Size = new Index3(1, 1, 7), OriginMm = new Vector3D(-2.4, 0, 0) };
        Assert.Equal([1, 1, 1, 2, 3, 3, 3], new GridSampling(source, target).Nearest([1, 2, 3]));
    }
}

using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class MarchingCubesTests
{
    // Sums of the triangles in DeepMind's table for these codes, on a cell of z 3, y 2, x 1 mm; every shape that a cube can hold is here,
    // those that are not flat in each direction.
    [Theory]
    [InlineData(1, 0.875000)]
    [InlineData(3, 1.802776)]
    [InlineData(5, 3.162278)]
    [InlineData(6, 1.750000)]
    [InlineData(7, 3.625000)]
    [InlineData(15, 2.000000)]
    [InlineData(17, 3.354102)]
    [InlineData(19, 4.125000)]
    [InlineData(21, 5.625000)]
    [InlineData(22, 2.625000)]
    [InlineData(23, 5.250000)]
    [InlineData(24, 1.750000)]
    [InlineData(25, 4.229102)]
    [InlineData(27, 6.758190)]
    [InlineData(29, 6.078439)]
    [InlineData(53, 5.982527)]
    [InlineData(30, 4.500000)]
    [InlineData(60, 3.605551)]
    [InlineData(61, 2.677776)]
    [InlineData(105, 3.500000)]
    [InlineData(254, 0.875000)]
    public void AreasMm2_NeighbourCode_IsTheAreaOfDeepMindsTriangles(int code, double area)
    {
        Assert.Equal(area, MarchingCubes.AreasMm2(new Vector3D(X: 1, Y: 2, Z: 3))[code], 1e-6);
    }

    [Fact]
    public void AreasMm2_NoCornerOrAllInside_IsNothing()
    {
        var areas = MarchingCubes.AreasMm2(new Vector3D(1, 1, 1));

        Assert.Equal([0.0, 0], [areas[0], areas[255]]);
        Assert.All(areas[1..255], area => Assert.True(area > 0.2));
    }

    [Fact]
    public void AreasMm2_Complement_HasTheSameSurface()
    {
        var areas = MarchingCubes.AreasMm2(new Vector3D(X: 0.7, Y: 1.3, Z: 2.9));

        for (var code = 0; code < 256; code++) Assert.Equal(areas[code], areas[255 - code], 1e-12);
    }

    // A square of y 2, x 1 mm: across a corner ½·√5, along a side its length.
    [Theory]
    [InlineData(0b0001, 1.118034)]
    [InlineData(0b0011, 1)]
    [InlineData(0b0101, 2)]
    [InlineData(0b0110, 2.236068)]
    [InlineData(0b1001, 2.236068)]
    [InlineData(0b1101, 1.118034)]
    [InlineData(0b1111, 0)]
    public void LengthsMm_NeighbourCode_IsTheLengthOfItsLines(int code, double length)
    {
        Assert.Equal(length, MarchingCubes.LengthsMm(new Vector3D(X: 1, Y: 2, Z: 9))[code], 1e-6);
    }
}

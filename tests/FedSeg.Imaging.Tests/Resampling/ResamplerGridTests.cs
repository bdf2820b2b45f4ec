using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

public sealed class ResamplerGridTests
{
    [Fact]
    public void GridAt_SpleenOfThePublishedPlan_RoundsEachAxis()
    {
        // 5/1.6·90 = 281.25; .9/.7929·512 = 581.16; halves go to even: 1/2·5 = 2.5 -> 2.
        var spleen = Grids.Straight(new Index3(90, 512, 512), 5, 0.9, 0.9);
        var small = Grids.Straight(new Index3(5, 7, 1), 1, 1, 1);

        Assert.Equal(new Index3(281, 581, 581), Resampler.GridAt(spleen, Grids.SpacingMm(1.6, 0.7929, 0.7929)).Size);
        Assert.Equal(new Index3(2, 4, 1), Resampler.GridAt(small, Grids.SpacingMm(2, 2, 9)).Size);
    }

    [Fact]
    public void GridAt_ThreeVoxelsToTwo_KeepsTheFacesOfTheBox()
    {
        // 3 voxels of 2 mm from −100: faces at −101 and −95; two voxels of 3 mm have their first centre at −99.5.
        var grid = Resampler.GridAt(Grids.Straight(new Index3(1, 1, 3), 1, 1, 2), Grids.SpacingMm(1, 1, 3));

        Assert.Equal(3, grid.SpacingMm.X, 12);
        Assert.Equal(-99.5, grid.OriginMm.X, 12);
        Assert.Equal((-80.0, 500.0), (grid.OriginMm.Y, grid.OriginMm.Z));
    }

    [Fact]
    public void GridAt_ObliqueGrid_KeepsTheCentreInThePatient()
    {
        var directions = new AxisDirections(new(0, -0.6, 0.8), new(0, 0.8, 0.6), new(1, 0, 0));
        var old = new GridGeometry(new Index3(5, 7, 9), new Vector3D(0.5, 0.7, 3), new Vector3D(1, 2, 3), directions);

        var grid = Resampler.GridAt(old, Grids.SpacingMm(3 * 5 / 11.0, 0.7 * 7 / 4, 0.5 * 9 / 6));

        Assert.Equal(new Index3(11, 4, 6), grid.Size);

        Assert.Equal(0, (old.PositionMm(2, 3, 4) - grid.PositionMm(5, 1.5, 2.5)).Length, 1e-12);
    }

    [Theory]
    [InlineData(3.0, 1, 1, 1, 1, 1, null)] // exactly 3 is not more than 3
    [InlineData(3.1, 1, 1, 1, 1, 1, 0)]
    [InlineData(1, 1, 4, 1, 1, 1, 2)]
    [InlineData(1, 1, 1, 1, 5, 1, 1)] // only the target is anisotropic
    [InlineData(4, 4, 1, 5, 1, 1, null)] // two tie for the coarsest
    [InlineData(4, 4.0000001, 1, 1, 1, 1, null)] // tie but for measured digits
    public void SeparateAxis_Spacings_FollowsTheRule(double z, double y, double x, double toZ, double toY, double toX, int? axis)
    {
        Assert.Equal(axis, SeparateAxis.Of(Grids.SpacingMm(z, y, x), Grids.SpacingMm(toZ, toY, toX)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void GridAt_SpacingThatIsNoLength_IsRefused(double spacingMm)
    {
        var grid = Grids.Straight(new Index3(2, 2, 2), 1, 1, 1);

        Assert.Throws<ArgumentException>(() => Resampler.GridAt(grid, Grids.SpacingMm(1, spacingMm, 1)));
    }
}

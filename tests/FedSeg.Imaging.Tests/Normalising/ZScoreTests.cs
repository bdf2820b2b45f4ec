using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Normalising;

public sealed class ZScoreTests
{
    [Fact]
    public void Normalise_EightNumbers_DividesByThePopulationDeviation()
    {
        // Mean 5, population standard deviation 2 (the sample one would be 2.138).
        Assert.Equal([-1.5f, -0.5f, -0.5f, -0.5f, 0, 0, 1, 2], ZScore.Normalise(Line(2, 4, 4, 4, 5, 5, 7, 9)).Voxels);
    }

    [Fact]
    public void Normalise_LargeOffset_KeepsItsDigits()
    {
        Assert.Equal([-1f, 1, -1, 1], ZScore.Normalise(Line(16_000_000, 16_000_002, 16_000_000, 16_000_002)).Voxels);
    }

    [Fact]
    public void Normalise_FlatImage_IsZero()
    {
        Assert.Equal([0f, 0, 0], ZScore.Normalise(Line(7, 7, 7)).Voxels);
    }

    [Fact]
    public void Normalise_LeavesTheImageItselfAlone()
    {
        var image = Line(1, 3);

        var scores = ZScore.Normalise(image);

        Assert.Equal([1f, 3], image.Voxels);
        Assert.Same(image.Grid, scores.Grid);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Normalise_VoxelThatIsNoNumber_IsRefused(float value)
    {
        Assert.Throws<ArgumentException>(() => ZScore.Normalise(Line(1, value, 2)));
    }

    private static Volume Line(params float[] voxels) => new(Grids.Straight(new Index3(1, 1, voxels.Length), 1, 1, 1), voxels);
}

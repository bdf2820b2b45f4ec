using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Normalising;

public sealed class CtWindowTests
{
    [Fact]
    public void Normalise_VoxelsInAndOutOfTheWindow_AreClippedThenStandardised()
    {
        var window = new CtWindow(lowHu: -40, highHu: 200, meanHu: 100, deviationHu: 40);

        // (−40 − 100)/40, the same for −41; (120 − 100)/40; (200 − 100)/40 for 200 and bone.
        Assert.Equal([-3.5f, -3.5f, -3.5f, 0.5f, 2.5f, 2.5f], window.Normalise(Line(-1024, -41, -40, 120, 200, 1500)).Voxels);
    }

    [Fact]
    public void Normalise_DeviationOfZero_IsTakenAsTheSmallest()
    {
        Assert.Equal([0f, 1e8f], new CtWindow(0, 10, 5, 0).Normalise(Line(5, 6)).Voxels);
    }

    [Fact]
    public void Normalise_NaN_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new CtWindow(0, 10, 5, 1).Normalise(Line(float.NaN)));
    }

    [Theory]
    [InlineData(10, 10, 0, 1)]
    [InlineData(double.NaN, 10, 0, 1)]
    [InlineData(0, 10, double.PositiveInfinity, 1)]
    [InlineData(0, 10, 5, -1)]
    public void New_NumbersThatMakeNoWindow_AreRefused(double low, double high, double mean, double deviation)
    {
        Assert.Throws<ArgumentException>(() => new CtWindow(low, high, mean, deviation));
    }

    private static Volume Line(params float[] voxels) => new(Grids.Straight(new Index3(1, 1, voxels.Length), 1, 1, 1), voxels);
}

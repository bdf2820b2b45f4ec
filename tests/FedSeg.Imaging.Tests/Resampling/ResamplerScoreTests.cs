using FedSeg.Imaging.Resampling;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Resampling;

public sealed class ResamplerScoreTests
{
    [Fact]
    public void LinearToSize_TwoVoxelsToFour_IsLinearBetweenCentresAndFlatBeyond()
    {
        Assert.Equal([4, 5, 7, 8], Resampler.LinearToSize([4, 8], new Index3(1, 1, 2), new Index3(1, 1, 4)));
    }

    [Fact]
    public void LinearToSize_SquareToOne_IsTheMean()
    {
        Assert.Equal([3.5f], Resampler.LinearToSize([1, 2, 3, 8], new Index3(1, 2, 2), new Index3(1, 1, 1)));
    }

    [Fact]
    public void LinearToSize_EachAxis_MovesOnlyAlongIt()
    {
        Assert.Equal([1, 5, 2, 5, 4, 5, 5, 5], Resampler.LinearToSize([1, 5, 5, 5], new Index3(2, 1, 2), new Index3(4, 1, 2)));
        Assert.Equal([1, 5, 2, 5, 4, 5, 5, 5], Resampler.LinearToSize([1, 5, 5, 5], new Index3(1, 2, 2), new Index3(1, 4, 2)));
    }

    [Fact]
    public void LinearToSize_SameSize_ReturnsTheValuesThemselves()
    {
        float[] values = [1, 2];

        Assert.Same(values, Resampler.LinearToSize(values, new Index3(1, 1, 2), new Index3(1, 1, 2)));
    }

    [Fact]
    public void LinearToSize_ValuesOfAnotherSize_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => Resampler.LinearToSize([1, 2, 3], new Index3(1, 1, 2), new Index3(1, 1, 4)));
    }
}

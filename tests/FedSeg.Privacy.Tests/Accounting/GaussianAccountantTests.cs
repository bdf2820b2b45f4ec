using FedSeg.Privacy.Accounting;

namespace FedSeg.Privacy.Tests.Accounting;

public sealed class GaussianAccountantTests
{
    /// <summary>Rows 20 and 21 of shared/reference/privacy.md, to the digits it gives.</summary>
    [Theory]
    [InlineData(4.530877117, 1, 1e-6, 0.92739234)]
    [InlineData(1, 1, 1e-5, 4.3771780957)]
    [InlineData(10, 100, 1e-5, 4.3771780957)]
    public void Epsilon_GoldenRow_MatchesTheReference(double sigma, long steps, double delta, double expected) =>
        Assert.Equal(expected, GaussianAccountant.Epsilon(new SampledGaussian(1, sigma, steps), delta), 1e-8);

    [Theory]
    [InlineData(.5, 3)]
    [InlineData(2, .1)]
    [InlineData(1, 8)]
    public void Epsilon_OfItsDelta_ComesBack(double sigma, double epsilon) =>
        Assert.Equal(1, GaussianAccountant.Epsilon(new SampledGaussian(1, sigma, 1), GaussianAccountant.Delta(sigma, epsilon)) / epsilon, 1e-9);

    [Fact]
    public void Epsilon_Corners_AreWhatTheyMustBe()
    {
        Assert.Equal(double.PositiveInfinity, GaussianAccountant.Epsilon(new SampledGaussian(1, 0, 1), 1e-5));
        Assert.Equal(0, GaussianAccountant.Epsilon(new SampledGaussian(1, 1, 0), 1e-5));
        Assert.Equal(0, GaussianAccountant.Epsilon(new SampledGaussian(1, 100, 1), .1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GaussianAccountant.Epsilon(new SampledGaussian(.5, 1, 1), 1e-5));
    }

    /// <summary>Against tables of erfc.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(.5, .4795001221869535)]
    [InlineData(1.5, .03389485352468927)]
    [InlineData(3, 2.209049699858544e-5)]
    [InlineData(10, 2.088487583762545e-45)]
    [InlineData(-1, 1.842700792949715)]
    public void Erfc_KnownValue_MatchesToThirteenDigits(double x, double expected)
    {
        Assert.Equal(1, NormalTail.Erfc(x) / expected, 1e-13);
        Assert.Equal(Math.Log(expected), NormalTail.LogErfc(x), 1e-12);
    }

    [Fact]
    public void LogErfc_WhereErfcUnderflows_FollowsTheAsymptote()
    {
        const double x = 1000;

        Assert.Equal(-x * x - Math.Log(x * Math.Sqrt(Math.PI)) - 1 / (2 * x * x), NormalTail.LogErfc(x), 1e-6);
    }
}

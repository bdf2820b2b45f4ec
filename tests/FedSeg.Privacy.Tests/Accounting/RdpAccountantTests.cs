using FedSeg.Privacy.Accounting;

namespace FedSeg.Privacy.Tests.Accounting;

/// <summary>Golden rows of shared/reference/privacy.md, section 1.2; their numbers are named in the tests.</summary>
public sealed class RdpAccountantTests
{
    /// <summary>Relative, as the reference asks.</summary>
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(.04, 1.5, 2250, 1e-5, 7.32911117143, 3.9)] // 1
    [InlineData(.0025, 1.3, 6000, 1e-5, .7242234026109595, 19)] // 4
    [InlineData(1, .7, 2, 1e-5, 10.8602036, 0)] // 7
    [InlineData(.0064, 1, 782, 1e-6, 1.61639407, 0)] // 9
    [InlineData(.05, 1.5, 1000, 1e-6, 6.66781439, 0)] // 13
    [InlineData(1, 1, 1, 1e-5, 4.7285070672, 5.4)] // 21
    [InlineData(1, 10, 100, 1e-5, 4.7285070672, 5.4)] // 21, composed
    [InlineData(.5, 1, 50, 1e-3, 22.2546329669, 1.7)] // 23, the sign trap
    [InlineData(.3, 1, 100, 1e-3, 19.287, 0)] // section A
    public void Epsilon_GoldenRow_MatchesTheReference(double q, double sigma, long steps, double delta, double expected, double order)
    {
        var found = new RdpAccountant().Add(new SampledGaussian(q, sigma, steps)).Epsilon(delta);

        // Section A gives five digits.
        Assert.Equal(1, found.Epsilon / expected, expected == 19.287 ? 5e-5 : Tolerance);
        if (order > 0) Assert.Equal(order, found.Order, 1e-9);
    }

    /// <summary>
    /// Row 6 lists 3.2392676, from a library that drops the signs of the fractional orders: a valid bound, 2e-5 above what quadrature of
    /// every order gives.
    /// </summary>
    [Fact]
    public void Epsilon_RowOfTheUnsignedLibrary_IsJustBelowIt()
    {
        var found = new RdpAccountant().Add(new SampledGaussian(.01, .7, 120)).Epsilon(1e-5);

        Assert.Equal(1, found.Epsilon / 3.2391921939131336, Tolerance);
        Assert.Equal(4.4, found.Order, 1e-9);
        Assert.InRange(3.2392676 / found.Epsilon, 1, 1 + 3e-5);
    }

    [Fact]
    public void Epsilon_TwoMechanisms_AddsTheirDivergences()
    {
        // 25: q = .02 / .01, σ = 1.2 / .9, 500 + 1000 steps.
        var found = new RdpAccountant().Add(new SampledGaussian(.02, 1.2, 500)).Add(new SampledGaussian(.01, .9, 1000)).Epsilon(1e-5);

        Assert.Equal(1, found.Epsilon / 3.385191985, Tolerance);
        Assert.Equal(5.9, found.Order, 1e-9);
    }

    [Fact]
    public void Epsilon_DenseOrders_MatchesTheReference()
    {
        // 20.
        var accountant = new RdpAccountant(Enumerable.Range(1000, 99_000).Select(order => order / 1000.0)).Add(new SampledGaussian(1, 4.530877117, 1));

        Assert.Equal(1, accountant.Epsilon(1e-6).Epsilon, Tolerance);
    }

    [Fact]
    public void Epsilon_ThreeRecordsOfOnePatient_MatchesTheReference()
    {
        // 11: k = 3 gives 6.425, k = 10 nothing.
        var accountant = new RdpAccountant().Add(new SampledGaussian(.0064, 1, 782));

        Assert.Equal(6.425, GroupPrivacy.Epsilon(3, 1e-6, logDelta => accountant.EpsilonAtLog(logDelta).Epsilon), 5e-4);
        Assert.Equal(double.PositiveInfinity, GroupPrivacy.Epsilon(10, 1e-6, logDelta => accountant.EpsilonAtLog(logDelta).Epsilon));
        Assert.Equal(accountant.Epsilon(1e-6).Epsilon, GroupPrivacy.Epsilon(1, 1e-6, logDelta => accountant.EpsilonAtLog(logDelta).Epsilon));
    }

    [Theory]
    [InlineData(1.5, 6.50070897e-4)]
    [InlineData(2.5, 1.08541806e-3)]
    [InlineData(5, 2.18075656e-3)]
    [InlineData(50, 2.38460375e-2)]
    [InlineData(100, 167.416308)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity)]
    public void Divergence_GoldenCurve_MatchesTheReference(double order, double expected)
    {
        var divergence = new RdpAccountant([order]).Add(new SampledGaussian(.01, 2.5, 50)).Divergence[0];

        if (double.IsPositiveInfinity(expected)) Assert.Equal(expected, divergence);
        else Assert.Equal(1, divergence / expected, Tolerance);
    }

    [Theory]
    [InlineData(1e-7, .1, 1.01)]
    [InlineData(1e-6, .1, 256)]
    [InlineData(1e-5, .1, 256.1)]
    [InlineData(1e-6, 1, 27)]
    [InlineData(.01, 10, 20)]
    [InlineData(.1, 100, 20.5)]
    [InlineData(.99, .1, 256)]
    [InlineData(.999, 100, 256.1)]
    [InlineData(.3, 1, 1.9)]
    [InlineData(.5, .7, 3.3)]
    public void LogMoment_AnyCorner_AgreesWithQuadrature(double q, double sigma, double order) =>
        Assert.Equal(1, RenyiDivergence.LogMoment(q, sigma, order) / Quadrature(q, sigma, order), 1e-4);

    [Theory]
    [InlineData(1.13, 19.74, 18.7096)]
    [InlineData(8.83, 2.04, 1.77319)]
    public void Epsilon_Tree_MatchesTheReference(double sigma, double below, double expected)
    {
        var found = new RdpAccountant().AddTree(sigma, 1600).Epsilon(1e-6).Epsilon;

        Assert.InRange(found, 0, below);
        // The reference's orders are its own.
        Assert.Equal(1, found / expected, 1e-3);
    }

    [Fact]
    public void Epsilon_MoreNoiseLessSamplingFewerSteps_IsSmaller()
    {
        double Epsilon(double q, double sigma, long steps) => new RdpAccountant().Add(new SampledGaussian(q, sigma, steps)).Epsilon(1e-5).Epsilon;

        Assert.True(Epsilon(.02, 1.2, 500) < Epsilon(.02, 1, 500));
        Assert.True(Epsilon(.01, 1, 500) < Epsilon(.02, 1, 500));
        Assert.True(Epsilon(.02, 1, 400) < Epsilon(.02, 1, 500));
    }

    [Fact]
    public void Epsilon_Corners_AreWhatTheyMustBe()
    {
        Assert.Equal(0, new RdpAccountant().Epsilon(1e-5).Epsilon);
        Assert.Equal(0, new RdpAccountant().Add(new SampledGaussian(0, 1, 100)).Epsilon(1e-5).Epsilon);
        Assert.Equal(double.PositiveInfinity, new RdpAccountant().Add(new SampledGaussian(.1, 0, 1)).Epsilon(1e-5).Epsilon);
        Assert.True(new RdpAccountant().Add(new SampledGaussian(1, .01, 1)).Epsilon(1e-5).AtTheEdge);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RdpAccountant().Add(new SampledGaussian(1.1, 1, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RdpAccountant().Epsilon(0));
    }

    [Fact]
    public void Delta_OfEpsilon_ComesBack()
    {
        var accountant = new RdpAccountant().Add(new SampledGaussian(.02, 1.1, 800));

        Assert.Equal(1, accountant.Delta(accountant.Epsilon(1e-5).Epsilon) / 1e-5, 1e-9);
    }

    /// <summary>
    /// The oracle: the integral itself by the trapezoidal rule in logarithms, exponentially exact for so smooth a function.
    /// </summary>
    private static double Quadrature(double q, double sigma, double order)
    {
        var step = sigma / 40;
        var sum = new SignedLogSum();
        for (var z = -20 * sigma; z < Math.Max(order, 1) + 20 * sigma; z += step)
        {
            var exponent = (2 * z - 1) / (2 * sigma * sigma);
            var logRatio = exponent > 0 ? exponent + Math.Log(q + (1 - q) * Math.Exp(-exponent)) : Math.Log(1 - q + q * Math.Exp(exponent));
            sum.Add(order * logRatio - z * z / (2 * sigma * sigma) + Math.Log(step / (sigma * Math.Sqrt(2 * Math.PI))), 1);
        }

        return sum.Log;
    }
}

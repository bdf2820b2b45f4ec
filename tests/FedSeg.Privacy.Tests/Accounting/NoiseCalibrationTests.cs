using FedSeg.Privacy.Accounting;

namespace FedSeg.Privacy.Tests.Accounting;

public sealed class NoiseCalibrationTests
{
    /// <summary>The reference's search stops once ε is within 0.01 of the target, so its answers lie up to 0.1 % above the least.</summary>
    [Theory]
    [InlineData(2250, 1.416)]
    [InlineData(2000, 1.3562)]
    public void Rdp_GoldenRow_MatchesTheReference(long steps, double expected)
    {
        var sigma = NoiseCalibration.Rdp(8, 1e-5, .04, steps)!.Value;

        Assert.InRange(sigma, expected - 2e-3, expected + 1e-4);
        Assert.InRange(new RdpAccountant().Add(new SampledGaussian(.04, sigma, steps)).Epsilon(1e-5).Epsilon, 8 - 1e-5, 8);
    }

    /// <summary>The reference's PRV answer keeps 0.01 of ε as its margin.</summary>
    [Theory]
    [InlineData(2249, 1.34766)]
    [InlineData(2000, 1.2915)]
    public void Pld_GoldenRow_MatchesTheReference(long steps, double expected)
    {
        var sigma = NoiseCalibration.Pld(8, 1e-5, .04, steps)!.Value;

        Assert.InRange(sigma, expected - 4e-3, expected + 2e-4);
        Assert.InRange(new PldAccountant().Add(new SampledGaussian(.04, sigma, steps)).Epsilon(1e-5), 8 - 5e-3, 8);
    }

    /// <summary>Section 1.3: N patients, batch b, δ = 1 / 10N.</summary>
    [Theory]
    [InlineData(500, 16, 50, 8, .94)]
    [InlineData(2000, 32, 50, 3, 1.35)]
    [InlineData(10_000, 32, 30, 1, 1.36)]
    public void Pld_PatientLevelTable_MatchesTheReference(double patients, double batch, int epochs, double epsilon, double expected) =>
        Assert.Equal(expected, NoiseCalibration.Pld(epsilon, 1 / (10 * patients), batch / patients, (long)Math.Round(epochs * patients / batch))!.Value, 0.011);

    [Fact]
    public void Gaussian_Target_IsMetExactly()
    {
        var sigma = NoiseCalibration.Gaussian(2, 1e-5, 100)!.Value;

        Assert.InRange(GaussianAccountant.Epsilon(new SampledGaussian(1, sigma, 100), 1e-5), 2 - 1e-6, 2);
        // Section 1.3: a site as unit, a hundred rounds.
        Assert.Equal(19.9, sigma, 0.05);
    }

    [Fact]
    public void Rdp_TargetOutOfReach_IsNothing() => Assert.Null(NoiseCalibration.Rdp(1e-12, 1e-5, 1, 1_000_000_000));

    [Fact]
    public void Rdp_NobodySampled_NeedsTheLeastNoise() => Assert.Equal(NoiseCalibration.Smallest, NoiseCalibration.Rdp(1, 1e-5, 0, 100));
}

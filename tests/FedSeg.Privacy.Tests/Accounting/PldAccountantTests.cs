using System.Numerics;
using FedSeg.Privacy.Accounting;

namespace FedSeg.Privacy.Tests.Accounting;

/// <summary>Golden rows of shared/reference/privacy.md, section 1.2; their numbers are named in the tests.</summary>
public sealed class PldAccountantTests
{
    /// <summary>Absolute, as the reference asks of PLD.</summary>
    private const double Tolerance = 1e-3;

    [Theory]
    [InlineData(.0025, 1.3, 6000, 1e-5, .64011093)] // 4
    [InlineData(.01, .7, 120, 1e-5, 2.4612381)] // 6
    [InlineData(1, .7, 2, 1e-5, 10.1224946)] // 7
    [InlineData(.0064, 1, 782, 1e-6, 1.19865078)] // 9
    [InlineData(.5, 1, 50, 1e-3, 19.90982699)] // 23
    public void Epsilon_GoldenRow_MatchesTheReference(double q, double sigma, long steps, double delta, double expected) =>
        Assert.Equal(expected, new PldAccountant().Add(new SampledGaussian(q, sigma, steps)).Epsilon(delta), Tolerance);

    /// <summary>2 and 13: the reference's PRV accountant reports ε(δ − δ/1000) + 0.01, its own stated error on top.</summary>
    [Theory]
    [InlineData(.04, 2249, 1e-5, 6.777395712150674)]
    [InlineData(.04, 2250, 1e-5, 6.77913)]
    [InlineData(.05, 1000, 1e-6, 6.209969246577)]
    public void Epsilon_PrvRow_MatchesTheReferenceLessItsMargin(double q, long steps, double delta, double expected) =>
        Assert.Equal(expected, new PldAccountant().Add(new SampledGaussian(q, 1.5, steps)).Epsilon(delta * (1 - 1e-3)) + 0.01, 1e-4);

    [Fact]
    public void Epsilon_TwoMechanisms_MatchesTheReference() =>
        // 25.
        Assert.Equal(3.0242177830, new PldAccountant().Add(new SampledGaussian(.02, 1.2, 500)).Add(new SampledGaussian(.01, .9, 1000)).Epsilon(1e-5), Tolerance);

    [Fact]
    public void Epsilon_TwoRecordsOfOnePatient_MatchesTheReference()
    {
        // 11: k = 2. The general bound for groups gives 2.67, as if both records were always drawn together.
        var mechanism = new SampledGaussian(.0064, 1, 782);
        var single = new PldAccountant().Add(mechanism);

        Assert.Equal(2.532, new PldAccountant().Add(mechanism, recordsPerPatient: 2).Epsilon(1e-6), Tolerance);
        Assert.InRange(GroupPrivacy.Epsilon(2, 1e-6, logDelta => single.Epsilon(Math.Max(PldAccountant.SmallestDelta, Math.Exp(logDelta)))), 2.6, 2.7);
    }

    [Fact]
    public void RecordMixture_NoiseOfALoss_ComesBack()
    {
        var mixture = new RecordMixture(.3, .8, 3);

        foreach (var z in new[] { -2.0, 0.1, 1, 4 }) Assert.Equal(z, mixture.NoiseAt(mixture.Loss(z)), 1e-9);
        Assert.Equal(double.NegativeInfinity, mixture.NoiseAt(3 * Math.Log(.7) - 1e-6));
        Assert.Equal(1, mixture.PatientBelow(1) + mixture.PatientAbove(1), 1e-12);
    }

    [Theory]
    [InlineData(1, 1, 1e-5)]
    [InlineData(10, 100, 1e-5)]
    [InlineData(4.530877117, 1, 1e-6)]
    [InlineData(.7, 2, 1e-5)]
    public void Epsilon_EverybodyTakesPart_IsJustAboveTheExactGaussian(double sigma, long steps, double delta)
    {
        var mechanism = new SampledGaussian(1, sigma, steps);
        var exact = GaussianAccountant.Epsilon(mechanism, delta);

        Assert.InRange(new PldAccountant().Add(mechanism).Epsilon(delta), exact, exact + 3e-4);
    }

    /// <summary>Losses beyond 709, whose ratio of probabilities no double holds, are rounded up a whole grid step.</summary>
    [Fact]
    public void Epsilon_NoiseFarTooSmall_IsStillAboveTheExactGaussian()
    {
        var mechanism = new SampledGaussian(1, .02, 1);
        var exact = GaussianAccountant.Epsilon(mechanism, 1e-5);

        Assert.InRange(exact, 1400, 1500);
        Assert.InRange(new PldAccountant().Add(mechanism).Epsilon(1e-5), exact, exact + 0.02);
    }

    [Theory]
    [InlineData(.01, 1, 300, 1e-5)]
    [InlineData(.2, 2, 40, 1e-7)]
    [InlineData(.001, .8, 5000, 1e-6)]
    public void Epsilon_AnyMechanism_IsNotAboveRdp(double q, double sigma, long steps, double delta)
    {
        var mechanism = new SampledGaussian(q, sigma, steps);

        Assert.InRange(new PldAccountant().Add(mechanism).Epsilon(delta), 0, new RdpAccountant().Add(mechanism).Epsilon(delta).Epsilon);
    }

    [Fact]
    public void Epsilon_Corners_AreWhatTheyMustBe()
    {
        Assert.Equal(0, new PldAccountant().Add(new SampledGaussian(0, 1, 100)).Epsilon(1e-5));
        Assert.Equal(0, new PldAccountant().Add(new SampledGaussian(.5, 1, 0)).Epsilon(1e-5));
        Assert.Equal(double.PositiveInfinity, new PldAccountant().Add(new SampledGaussian(.5, 0, 1)).Epsilon(1e-5));
        Assert.Equal(0, new PldAccountant().Add(new SampledGaussian(.01, 20, 1)).Epsilon(.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PldAccountant().Epsilon(1e-13));
    }

    [Fact]
    public void Distribution_OfOneStep_KeepsBothProbabilities()
    {
        var mixture = new RecordMixture(.1, 1, 1);
        var loss = PrivacyLossDistribution.Of(mixture, Neighbour.Removed, PrivacyLossDistribution.Range(mixture, 1, Neighbour.Removed, 8), 1e-3);

        Assert.Equal(1, loss.Masses.Sum() + loss.Infinite, 1e-12);
        // Σ p e^(−loss) is what the other data set gives the same outcomes.
        Assert.Equal(1, loss.Masses.Select((mass, i) => mass * Math.Exp(-(loss.First + i) * loss.Step)).Sum(), 1e-9);
    }

    [Fact]
    public void FourierTransform_OfSmallInput_IsTheSumItself()
    {
        var chance = new Random(3);
        var values = Enumerable.Range(0, 32).Select(_ => new Complex(chance.NextDouble(), chance.NextDouble())).ToArray();
        var expected = Enumerable.Range(0, 32).Select(k => values.Select((value, n) => value * Complex.FromPolarCoordinates(1, -2 * Math.PI * k * n / 32)).Aggregate(Complex.Add)).ToArray();
        var transformed = values.ToArray();

        FourierTransform.Forward(transformed);
        Assert.All(expected.Zip(transformed), pair => Assert.Equal(0, (pair.First - pair.Second).Magnitude, 1e-12));
        FourierTransform.Inverse(transformed);
        Assert.All(values.Zip(transformed), pair => Assert.Equal(0, (pair.First - pair.Second).Magnitude, 1e-14));
    }
}

using FedSeg.Privacy.Noise;

namespace FedSeg.Privacy.Tests.Noise;

public sealed class NormClippingTests
{
    [Fact]
    public void Clip_LongVector_IsShortenedToTheBound()
    {
        float[] values = [3, 4];

        Assert.Equal(5, NormClipping.Clip(values, 2.5));
        Assert.Equal([1.5f, 2], values);
        Assert.Equal(2.5, NormClipping.Clip(values, 10));
        Assert.Equal([1.5f, 2], values);
    }

    [Fact]
    public void SquaredNorm_OverTensors_AddsUpToTheJointNorm() =>
        Assert.Equal(14.2828568570857, Math.Sqrt(NormClipping.SquaredNorm([1, 2, 3, 4]) + NormClipping.SquaredNorm([5, 6, 7, 8])), 1e-12);

    [Fact]
    public void Scale_DifferenceOfTwoModels_MatchesTheReference()
    {
        // shared/reference/federation.md: C = 1, two tensors clipped together.
        double[] trained = [.5, 1.5, 2.5, 3.5, 4.5, 5.5], start = [1, 2, 3, 4, 5, 9], expected = [.863917237, 1.863917237, 2.863917237, 3.863917237, 4.863917237, 8.047420656];
        var delta = trained.Zip(start, (a, b) => (float)(a - b)).ToArray();

        var scale = NormClipping.Scale(Math.Sqrt(NormClipping.SquaredNorm(delta.AsSpan(0, 3)) + NormClipping.SquaredNorm(delta.AsSpan(3))), 1);

        Assert.All(start.Zip(delta, (a, b) => a + b * scale).Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-8));
    }

    [Fact]
    public void Clip_MillionsOfFloats_NeverStaysAboveTheBound()
    {
        var chance = new Random(11);
        var values = Enumerable.Range(0, 2_000_000).Select(_ => (float)(chance.NextDouble() - 0.5)).ToArray();

        NormClipping.Clip(values, 1);

        Assert.InRange(Math.Sqrt(NormClipping.SquaredNorm(values)), 1 - 1e-6, 1);
    }

    [Fact]
    public void Scale_NotFinite_IsNeverClipped()
    {
        Assert.Throws<NotFiniteNumberException>(() => NormClipping.Clip([float.NaN], 1));
        Assert.Throws<NotFiniteNumberException>(() => NormClipping.Clip([float.PositiveInfinity], 1));
    }

    [Fact]
    public void DeviationOfMean_MatchesTheReference() => Assert.Equal(.0857142857, NormClipping.DeviationOfMean(1.2, .5, 7), 1e-10);

    [Theory]
    [InlineData(1, 100, 5, 1.005037815)]
    [InlineData(3, 100, 5, 3.144854510)]
    public void ContributionMultiplier_MatchesTheReference(double z, double contributions, double countDeviation, double expected)
    {
        Assert.Equal(countDeviation, AdaptiveClipping.CountDeviation(contributions));
        Assert.Equal(expected, AdaptiveClipping.ContributionMultiplier(z, countDeviation), 1e-9);
    }

    [Fact]
    public void ContributionMultiplier_CountWouldSpendTheBudget_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => AdaptiveClipping.ContributionMultiplier(1, AdaptiveClipping.CountDeviation(10)));

    [Fact]
    public void AdaptiveClipping_MostAboveTheBound_Grows()
    {
        var clipping = new AdaptiveClipping();
        var share = AdaptiveClipping.NoisedShare([.05, .05, .2, .3, .4], AdaptiveClipping.InitialBound, 5, 0.25, 0);

        Assert.Equal(.4, share, 1e-12);
        Assert.Equal(.1 * Math.Exp(.2 * .1), clipping.Next(AdaptiveClipping.InitialBound, share), 1e-12);
    }
}

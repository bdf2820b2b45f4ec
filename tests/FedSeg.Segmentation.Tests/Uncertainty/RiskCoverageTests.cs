using FedSeg.Segmentation.Uncertainty;

namespace FedSeg.Segmentation.Tests.Uncertainty;

/// <summary>Golden numbers: shared/reference/segmentation.md section 5.3.</summary>
public sealed class RiskCoverageTests
{
    private static readonly double[] Confidence = [.95, .9, .8, .6, .4, .3, .85, .7];
    private static readonly double[] Dice = [.93, .91, .88, .70, .35, .55, .60, .82];

    private static readonly double[] Risks = [.. Dice.Select(dice => 1 - dice)];

    [Fact]
    public void Of_EightCases_GivesGoldenNumbers()
    {
        var curve = RiskCoverage.Of(Confidence, Risks);

        double[] expected = [.154603, .12999, .2825, .024613, .838614];
        Assert.Equal(expected, [curve.Aurc, curve.Optimal, curve.Random, curve.Excess, curve.Normalised], (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Of_ScoreThatKnowsTheRisks_IsOptimal()
    {
        var curve = RiskCoverage.Of(Dice, Risks);

        Assert.Equal((curve.Optimal, 0.0, 1.0), (curve.Aurc, curve.Excess, curve.Normalised));
    }

    [Fact]
    public void RankCorrelation_EightCases_GivesTheGoldenNumber() => Assert.Equal(-.833333, RankCorrelation.Of(Confidence, Risks), 1e-6);

    [Fact]
    public void RankCorrelation_EqualValues_ShareTheirRanks()
    {
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 · 5).
        Assert.Equal(4.5 / Math.Sqrt(22.5), RankCorrelation.Of([0, 5, 5, 7], [1, 2, 3, 4]), 1e-12);
        Assert.Equal(double.NaN, RankCorrelation.Of([1, 1], [1, 2]));
    }
}

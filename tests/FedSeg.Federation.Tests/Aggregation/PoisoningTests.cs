using FedSeg.Federation.Aggregation;

namespace FedSeg.Federation.Tests.Aggregation;

/// <summary>
/// Ten sites, three of them hostile, honest updates that differ by half their common signal. What is measured is the distance of the merged
/// change from the honest sites' mean, relative to it; shared/reference/egress-and-threats.md, table C, has the order of magnitude.
/// </summary>
public sealed class PoisoningTests
{
    private const int Sites = 10, Hostile = 3, Weights = 400;
    private const double Heterogeneity = 0.5;

    [Theory]
    [InlineData("x10", 2)]
    [InlineData("x100", 20)]
    [InlineData("signFlip", .4)]
    [InlineData("signFlip x10", 2)]
    public void FedAvg_Unprotected_IsPulledAway(string attack, double atLeast) =>
        Assert.InRange(Error(SmallFederation.Spec("fedavg"), attack), atLeast, double.MaxValue);

    [Theory]
    [InlineData("normbound", "x10", .25)]
    [InlineData("normbound", "x100", .25)]
    [InlineData("normbound", "alie", .35)]
    [InlineData("median", "x100", .5)]
    [InlineData("median", "signFlip", .5)]
    [InlineData("median", "alie", .5)]
    [InlineData("trimmedmean", "x100", .5)]
    [InlineData("trimmedmean", "signFlip", .5)]
    [InlineData("trimmedmean", "signFlip x10", .5)]
    [InlineData("trimmedmean", "alie", .5)]
    [InlineData("multikrum", "x10", .01)]
    [InlineData("multikrum", "x100", .01)]
    [InlineData("multikrum", "signFlip", .01)]
    [InlineData("multikrum", "alie", .5)]
    [InlineData("krum", "x100", .7)]
    [InlineData("krum", "signFlip", .7)]
    [InlineData("fltrust", "x100", .25)]
    [InlineData("fltrust", "signFlip x10", .25)]
    [InlineData("fltrust", "alie", .35)]
    public void Strategy_UnderAttack_StaysNearTheHonestMean(string strategy, string attack, double atMost)
    {
        var spec = strategy is "normbound" or "fltrust" ? SmallFederation.Spec(strategy) : SmallFederation.Spec(strategy, ("byzantine", Hostile));

        Assert.InRange(Error(spec, attack), 0, atMost);
    }

    [Theory]
    [InlineData("none", .3)]
    [InlineData("x10", .5)]
    [InlineData("x100", .5)]
    [InlineData("signFlip", .7)]
    [InlineData("signFlip x10", .7)]
    [InlineData("alie", .5)]
    public void Default_UnderAttack_StaysNearTheHonestMean(string attack, double atMost) =>
        Assert.InRange(Error(StrategyCatalog.Default(Sites), attack), 0, atMost);

    [Fact]
    public void Bulyan_OneHostileOfTen_StaysNearTheHonestMean() =>
        Assert.InRange(Error(SmallFederation.Spec("bulyan", ("byzantine", 1)), "signFlip x10", hostile: 1), 0, .5);

    [Theory]
    [InlineData("fedavg")]
    [InlineData("fedyogi")]
    [InlineData("median")]
    [InlineData("trimmedmean")]
    [InlineData("krum")]
    [InlineData("bulyan")]
    [InlineData("normbound")]
    [InlineData("fltrust")]
    [InlineData("fednova")]
    public void Strategy_UpdateWithNaN_IsNeverMerged(string strategy)
    {
        var updates = Honest();
        updates[4][17] = double.NaN;

        Assert.Throws<AggregationException>(() => Merge(SmallFederation.Spec(strategy), updates));
    }

    private static double Error(AggregationSpec spec, string attack, int hostile = Hostile)
    {
        var updates = Honest();
        // Site 0 is FLTrust's root; the hostile ones are the last.
        var honest = updates[..^hostile];
        foreach (var update in updates[^hostile..])
        {
            for (var i = 0; i < Weights; i++) update[i] = Poison(attack, update[i], [.. honest.Select(other => other[i])]);
        }

        var merged = Merge(spec, updates);
        var mean = Enumerable.Range(0, Weights).Select(i => honest.Average(update => update[i])).ToArray();
        return Norm(merged.Zip(mean, (a, b) => a - b)) / Norm(mean);
    }

    /// <summary>ALIE (Baruch et al. 2019): everyone hostile sends the honest mean less 1.5 standard deviations, inside the crowd.</summary>
    private static double Poison(string attack, double own, double[] honest) => attack switch
    {
        "none" => own,
        "x10" => 10 * own,
        "x100" => 100 * own,
        "signFlip" => -own,
        "signFlip x10" => -10 * own,
        "alie" => honest.Average() - 1.5 * Math.Sqrt(honest.Average(value => value * value) - honest.Average() * honest.Average()),
        _ => throw new ArgumentOutOfRangeException(nameof(attack)),
    };

    private static double[][] Honest()
    {
        var chance = new Random(20);
        var signal = Enumerable.Range(0, Weights).Select(_ => Normal(chance)).ToArray();
        return [.. Enumerable.Range(0, Sites).Select(_ => signal.Select(value => value + Heterogeneity * Normal(chance)).ToArray())];
    }

    private static double[] Merge(AggregationSpec spec, double[][] updates) =>
        new SmallFederation(spec, new double[Weights]).Merge([.. updates.Select(update => (update, 1.0))]);

    private static double Normal(Random chance) =>
        Math.Sqrt(-2 * Math.Log(1 - chance.NextDouble())) * Math.Cos(2 * Math.PI * chance.NextDouble());

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));
}

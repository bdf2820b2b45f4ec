using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Aggregation.Steps;

namespace FedSeg.Federation.Tests.Aggregation;

/// <summary>
/// Reference rounds of shared/reference/federation.md ("Golden numbers of aggregation") and hand-worked rounds, in double.
/// </summary>
public sealed class StrategyTests
{
    private static readonly double[][][] CommonRounds =
    [
        [[1.2, -1.5, .5, .3], [.8, -2.5, 1, -.1], [2, -2, 0, .2]],
        [[1.5, -1, .4, .5], [.9, -2.2, .8, 0], [1.8, -1.9, .2, .1]],
        [[1.4, -.5, .6, .4], [1.1, -2.1, .7, .2], [1.6, -1.7, .1, 0]],
    ];

    public static TheoryData<string, (string, double)[], double[][]> CommonGolden { get; } = new()
    {
        { "fedavg", [], [[1.56, -2.1, .35, .12], [1.5, -1.9, .4, .11], [1.43, -1.7, .33, .1]] },
        { "fedavgm", [("serverLearningRate", 1), ("serverMomentum", .9)], [[1.56, -2.1, .35, .12], [2.004, -1.99, .265, .218], [1.8296, -1.601, .2535, .1882]] },
        { "fedavgm", [("serverLearningRate", .5), ("serverMomentum", .9)], [[1.28, -2.05, .425, .06], [1.642, -2.02, .345, .139], [1.8618, -1.833, .2655, .1906]] },
        {
            "fedadam",
            [("serverLearningRate", .1), ("beta1", .9), ("beta2", .99), ("tau", 1e-3)],
            [[1.07294342, -2.06749634, .430394395, .0685347497], [1.1560999, -2.04343477, .365592529, .138223419], [1.24051217, -1.98445455, .301329308, .177521271]]
        },
        { "median", [], [[1.2, -2, .5, .2], [1.5, -1.9, .4, .1], [1.4, -1.7, .6, .2]] },
        { "fednova", [], [[1.56, -2.1, .35, .12], [1.5, -1.9, .4, .11], [1.43, -1.7, .33, .1]] },
        { "normbound", [("bound", 1000)], [[1.56, -2.1, .35, .12], [1.5, -1.9, .4, .11], [1.43, -1.7, .33, .1]] },
    };

    [Theory]
    [MemberData(nameof(CommonGolden))]
    public void Merge_CommonInput_MatchesTheReference(string strategy, (string, double)[] options, double[][] expected)
    {
        var federation = new SmallFederation(SmallFederation.Spec(strategy, options), 1, -2, .5, 0);
        foreach (var (round, model) in CommonRounds.Zip(expected))
        {
            // The reference gives nine digits.
            AssertClose(model, federation.Merge((round[0], 10), (round[1], 30), (round[2], 60)), 5e-9);
        }
    }

    [Fact]
    public void FedAvg_UnequalCases_IsTheWeightedMean()
    {
        AssertClose([12, 15.25, 14, 16], Once("fedavg", [0, 0, 0, 0], ([0, 1, 2, 4], 1), ([16, 20, 18, 20], 3)));
        AssertClose([4.0 / 3, 5.0 / 3, 5.3 / 3, 1.1 / 3], Once("fedavg", [0, 0, 0, 0], ([2, 3, 1.1, .1], .5), ([1, 1, 2.1, .5], 1)));
        AssertClose([1.88, 4.92, 5, 2.6, .82], Once("fedavg", [0, 0, 0, 0, 0], ([3, 8, 8, 3, 1], .2), ([.4, 1.6, 2, 1, .1], .2), ([2, 5, 5, 3, 1], .6)));
        AssertClose([1.5], Once("fedavg", [0], ([1], 1), ([0], 0), ([2], 1)));
    }

    [Fact]
    public void FedAvgM_FirstRound_IsTheWeightedMean() =>
        AssertClose([59.0 / 3, 16, 41.0 / 3, 38.0 / 3, 31.0 / 3, 28.0 / 3], Once("fedavgm", new double[6], ([1, 2, 3, 4, 5, 6], 1), ([29, 23, 19, 17, 13, 11], 2)));

    [Fact]
    public void FedAdagrad_OneRound_MatchesTheReference() =>
        AssertClose([.15], new SmallFederation(SmallFederation.Spec("fedadagrad", ("serverLearningRate", .1), ("tau", .5), ("beta1", 0)), .1).Merge(([.2], 1), ([1.0], 1)));

    [Fact]
    public void FedYogi_TwoRounds_MatchTheHandWorkedNumbers()
    {
        // Round 1: Δ = 1, m = .1, v = .01, step .01 · .1 / (.1 + .001). Round 2 with Δ = .01: Δ² = 1e-4 < v, so v falls by 1e-6, unlike
        // Adam's.
        var federation = new SmallFederation(SmallFederation.Spec("fedyogi"), 0);
        var first = .001 / .101;

        AssertClose([first], federation.Merge(([1], 1)));
        AssertClose([first + .01 * .091 / (Math.Sqrt(.01 - 1e-6) + .001)], federation.Merge(([first + .01], 1)));
    }

    /// <summary>The winding valley amplifies a changed last bit to 1e-6 within a thousand steps.</summary>
    [Theory]
    [InlineData(1, .00999999995, 0, 1e-9)]
    [InlineData(2, .0199971962, .00744136298, 1e-9)]
    [InlineData(10, .0994320242, .0129412083, 1e-9)]
    [InlineData(100, .703343377, .493731221, 1e-8)]
    [InlineData(1000, .99998004, .999959534, 5e-6)]
    public void AdaptiveStep_AdamOnRosenbrock_MatchesTheReference(int steps, double x, double y, double tolerance) =>
        AssertClose([x, y], Descend(new AdaptiveStep(.01, SecondMomentRule.Adam, .9, .999, 1e-8, BiasCorrection.Unbiased), steps), tolerance);

    /// <summary>The reference's Adagrad starts its sum of squares at 0.1.</summary>
    [Theory]
    [InlineData(1, .0790183677, 0)]
    [InlineData(100, .573534125, .327659142)]
    public void AdaptiveStep_AdagradOnRosenbrock_MatchesTheReference(int steps, double x, double y) =>
        AssertClose([x, y], Descend(new AdaptiveStep(.08, SecondMomentRule.Adagrad, 0, 0, 1e-10, BiasCorrection.None), steps, .1), 1e-8);

    [Fact]
    public void QFedAvg_TwoSites_MatchesTheHandWorkedNumbers()
    {
        // q = 1, L = 2 (rate .5); F = 1, 3; Δ = (1, 0), (0, 2): gradients (2, 0), (0, 4). Numerator (2, 12); h = 4 + 2, 16 + 6.
        var federation = new SmallFederation(SmallFederation.Spec("qfedavg", ("q", 1), ("serverLearningRate", .5)), 0, 0);

        AssertClose([2.0 / 28, 12.0 / 28], federation.Merge(Contribution(0, [1, 0], loss: 1), Contribution(1, [0, 2], loss: 3)), 1e-9);
    }

    [Fact]
    public void QFedAvg_WithoutFairness_IsThePlainMean() =>
        AssertClose([1.5], new SmallFederation(SmallFederation.Spec("qfedavg", ("q", 0)), 0).Merge(Contribution(0, [1], loss: .3, weight: 10), Contribution(1, [2], loss: 7)));

    [Fact]
    public void FedNova_UnequalSteps_NormalisesThem()
    {
        // p = ¼, ¾; τ = 2, 6; τ_eff = 5. Per-step updates 1 and .5: 5 · (¼ · 1 + ¾ · .5).
        AssertClose([3.125], new SmallFederation(SmallFederation.Spec("fednova"), 0).Merge(Contribution(0, [2], weight: 1, steps: 2), Contribution(1, [3], weight: 3, steps: 6)));
    }

    [Fact]
    public void Median_EvenNumber_IsTheMeanOfTheMiddleTwo() =>
        AssertClose([1.5, 0], Once("median", [0, 0], ([1, 0], 1), ([2, 9], 100), ([0, 0], 1), ([50, -9], 1)));

    [Fact]
    public void TrimmedMean_QuarterOnEachSide_MatchesTheReference()
    {
        (string, double)[] quarter = [("trim", .25)];
        AssertClose([.5, .5, .5, .5], Once("trimmedmean", quarter, new double[4], ([.5, .5, .5, .5], 1), ([1, .2, .5, 1], 1), ([.2, .5, 1, .2], 1), ([.5, 1, .2, .5], 1)));
        AssertClose([1.5], Once("trimmedmean", quarter, [0], ([.5], 1), ([1], 1), ([2], 1), ([100], 1)));
        AssertClose([1.5], Once("trimmedmean", [("byzantine", 1)], [0], ([.5], 1), ([1], 1), ([2], 1), ([100], 1)));
    }

    [Fact]
    public void Krum_ThreeSites_MatchesTheReference()
    {
        AssertClose([.7], Once("krum", [("byzantine", 1)], [0], ([.2], 1), ([.7], 1), ([1.0], 1)));
        AssertClose([.35], Once("multikrum", [("byzantine", 1), ("keep", 2)], [0], ([.2], 1), ([.5], 1), ([1.0], 1)));
    }

    [Fact]
    public void Krum_FiveSites_ScoresByTheNearestNeighbours()
    {
        // f = 1: two neighbours each. Of 0, 1, 2, 4, 100 the scores are 5, 2, 5, 13, large: 1 wins.
        AssertClose([1], Once("krum", [("byzantine", 1)], [7], ([0], 1), ([1], 1), ([2], 1), ([4], 1), ([100], 1)));
        AssertClose([7.0 / 4], Once("multikrum", [("byzantine", 1)], [7], ([0], 1), ([1], 1), ([2], 1), ([4], 1), ([100], 1)));
    }

    [Fact]
    public void Bulyan_SevenSites_DropsTheOutlierAndAveragesNearTheMedian()
    {
        // f = 1: one after the other Krum picks 2, 3, 1, 4 and 0, by the squared distances to the n - 3 nearest of those that are left (10, then 9, 10, 1, and of
        // equal scores the first); of the five the three nearest to their median 2 are averaged.
        var model = Once("bulyan", [("byzantine", 1)], [0], ([0], 1), ([1], 1), ([2], 1), ([3], 1), ([4], 1), ([5], 1), ([100], 1));

        AssertClose([2], model);
    }

    [Theory]
    [InlineData(new[] { .5, 1, 2.0 }, 2, .75)]
    [InlineData(new[] { -.5, 1, 10.0 }, 1, 1)]
    [InlineData(new[] { -3, -1, 1, 2.0 }, 2, 0)]
    public void NearestToMedian_KeepsTheNearest(double[] values, int keep, double expected)
    {
        var updates = new BoundedUpdates([.. values.Select((value, i) => Contribution(i, [value]))], [.. values.Select(_ => 1.0)], TestContext.Current.CancellationToken);
        var change = new double[1];

        new NearestToMedian(updates, [.. Enumerable.Range(0, values.Length)], keep).Combine(0, change);

        AssertClose([expected], change);
    }

    [Fact]
    public void NormBound_FixedBound_ShortensTheLongUpdateOnly() =>
        // [3, 4] has norm 5: bound 2.5 makes it [1.5, 2] (reference, joint clipping); [0, 1] stays.
        AssertClose([.75, 1.5], Once("normbound", [("bound", 2.5)], [0, 0], ([3, 4], 1), ([0, 1], 1)));

    [Fact]
    public void NormBound_RunningMedian_RemembersEarlierRounds()
    {
        var federation = new SmallFederation(SmallFederation.Spec("normbound"), 0);
        // Norms 1, 1 and 2: the bound is 1.5, so the third update counts 1.5.
        AssertClose([3.5 / 3], federation.Merge(Contribution(0, [1]), Contribution(1, [1]), Contribution(2, [2])));

        // Norms 1, 1, 2 before, now 1 and 1000: the median is 1, the bound 1.5, where this round's alone would allow 750.75.
        var before = federation.Model[0];
        AssertClose([before + 1.25], federation.Merge(Contribution(0, [1]), Contribution(1, [1000])));
        Assert.Equal([1, 1000], federation.Summary!.Norms.Values);
    }

    [Fact]
    public void FLTrust_Root_MeasuresTheOthers()
    {
        // Root (1, 0). (3, 4): cosine .6, scaled to (.6, .8). (0, 5): cosine 0. (−2, 0): cosine −1, cut to 0. (4, 0): cosine 1, scaled to
        // (1, 0).
        var model = Once("fltrust", [0, 0], ([1, 0], 1), ([3, 4], 9), ([0, 5], 9), ([-2, 0], 9), ([4, 0], 9));

        AssertClose([(.6 * .6 + 1) / 1.6, .6 * .8 / 1.6], model);
        AssertClose([0], Once("fltrust", [0], ([1], 1), ([-1], 1)));
    }

    [Fact]
    public void Scaffold_Server_MatchesTheReference()
    {
        Contribution[] updates = [Contribution(0, [0, 1], weight: 1), Contribution(1, [1, 2], weight: 3)];
        (double Rate, double[] Expected)[] golden = [(1e-6, [0, 0]), (1, [.75, 1.75]), (2, [1.5, 3.5])];
        foreach (var (rate, expected) in golden)
        {
            AssertClose(expected, new SmallFederation(SmallFederation.Spec("fedavg", ("serverLearningRate", rate)), 0, 0).Merge(updates), 2e-6);
        }

        var control = new WeightsInMemory(2);
        ScaffoldControl.Update(new WeightsInMemory([1, 1.0]), [Contribution(0, [1, 1]), Contribution(1, [1, 1])], 2, control, TestContext.Current.CancellationToken);
        AssertClose([2, 2], control.Values.ToArray());
    }

    [Fact]
    public void Scaffold_SomeSitesAway_MovesTheControlByTheirShare()
    {
        var control = new WeightsInMemory(1);

        // c = 1, two of eight sites with Δc = 2 and 4: c + (2 + 4) / 8.
        ScaffoldControl.Update(new WeightsInMemory([1.0]), [Contribution(0, [2], weight: 9), Contribution(1, [4])], 8, control, TestContext.Current.CancellationToken);

        AssertClose([1.75], control.Values.ToArray());
    }

    [Theory]
    [InlineData("krum", 1, 2)]
    [InlineData("multikrum", 2, 4)]
    [InlineData("bulyan", 1, 6)]
    [InlineData("median", 1, 2)]
    [InlineData("trimmedmean", 2, 4)]
    public void Merge_TooFewForTheHostile_IsRefused(string strategy, int byzantine, int sites)
    {
        var federation = new SmallFederation(SmallFederation.Spec(strategy, ("byzantine", byzantine)), 0);

        var error = Assert.Throws<AggregationException>(() => federation.Merge([.. Enumerable.Range(0, sites).Select(i => Contribution(i, [i]))]));

        Assert.Contains($"there are {sites}", error.Message);
    }

    [Fact]
    public void Merge_ImpossibleContributions_AreRefused()
    {
        Refused(SmallFederation.Spec("multikrum", ("keep", 3)), Contribution(0, [1]), Contribution(1, [1]));
        Refused(SmallFederation.Spec("qfedavg"), Contribution(0, [1]));
        Refused(SmallFederation.Spec("qfedavg"), Contribution(0, [1], loss: -1));
        Refused(SmallFederation.Spec("fednova"), Contribution(0, [1], steps: 0));
        Refused(SmallFederation.Spec("fltrust"), Contribution(1, [1]), Contribution(2, [1]));
        Refused(SmallFederation.Spec("fedavg"), Contribution(0, [1], weight: 0));
        Refused(SmallFederation.Spec("fedavg"), Contribution(0, [1], weight: double.NaN));

        static void Refused(AggregationSpec spec, params Contribution[] contributions) =>
            Assert.Throws<AggregationException>(() => new SmallFederation(spec, 0).Merge(contributions));
    }

    /// <summary>Minimises Rosenbrock's function from (0, 0) with the negative gradient as the only site's update.</summary>
    private static double[] Descend(AdaptiveStep step, int steps, double secondMoment = 0)
    {
        var federation = new SmallFederation(new AggregationSpec { Rule = new WeightedMean(), Step = step }, 0, 0).WithState(StatePart.SecondMoment, secondMoment, secondMoment);
        for (var i = 0; i < steps; i++)
        {
            var (x, y) = (federation.Model[0], federation.Model[1]);
            federation.Merge(Contribution(0, [2 * (1 - x) + 400 * x * (y - x * x), -200 * (y - x * x)]));
        }

        return federation.Model;
    }

    private static Contribution Contribution(int site, double[] update, double weight = 1, int steps = 1, double? loss = null) =>
        new() { Site = SmallFederation.SiteOf(site), Update = new WeightsInMemory(update), Weight = weight, Steps = steps, Loss = loss };

    private static double[] Once(string strategy, double[] initial, params (double[] Values, double Weight)[] clients) =>
        Once(strategy, [], initial, clients);

    private static double[] Once(string strategy, (string, double)[] options, double[] initial, params (double[] Values, double Weight)[] clients) =>
        new SmallFederation(SmallFederation.Spec(strategy, options), initial).Merge(clients);

    private static void AssertClose(double[] expected, double[] actual, double tolerance = 1e-12)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}

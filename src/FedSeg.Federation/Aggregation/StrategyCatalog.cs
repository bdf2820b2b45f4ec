using System.Collections.Immutable;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Aggregation.Steps;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Every strategy a job or <c>fedseg aggregate</c> may name, with its options, their defaults and ranges. The one list: job files, their
/// schema and the command line read it.
/// </summary>
public static class StrategyCatalog
{
    /// <summary>
    /// From this many sites on a job that names no strategy gets the trimmed mean: with fewer, leaving one out on each side costs too much.
    /// </summary>
    public const int TrimmedMeanFrom = 7;

    /// <summary>What a job that names no strategy lets a site's cases count at most, as a multiple of the median of the round's.</summary>
    public const double DefaultWeightLimit = 3;

    private static readonly StrategyOption
        Rate = new("serverLearningRate", 1, 1e-6, 100, "the server's learning rate"),
        Momentum = new("serverMomentum", 0.9, 0, 0.9999, "how much of the last round's change goes on"),
        Beta1 = new("beta1", 0.9, 0, 0.9999, "decay of the mean change"),
        Beta2 = new("beta2", 0.99, 0, 0.9999, "decay of the mean squared change"),
        Tau = new("tau", 1e-3, 1e-12, 1, "adaptivity floor added to the root of the second moment"),
        Byzantine = new("byzantine", 0, 0, 1000, "sites that may be hostile, f") { Whole = true },
        Keep = new("keep", null, 1, 1000, "updates that are averaged, m; without it all but f") { Whole = true },
        Trim = new("trim", 0.2, 0, 0.4999, "share left out on each side"),
        TrimCount = new("byzantine", null, 0, 1000, "values left out on each side, instead of a share") { Whole = true },
        Fairness = new("q", 0.2, 0, 20, "how much more sites with a higher loss count"),
        Bound = new("bound", null, 1e-12, 1e12, "longest update, L2; without it 1.5 times the running median of the norms");

    public static ImmutableArray<Strategy> All { get; } =
    [
        new("fedavg", [Rate], values => Of(new WeightedMean(), Plain(values))),
        new("fedavgm", [Rate, Momentum], values => Of(new WeightedMean(), new MomentumStep(values[Rate], values[Momentum]))),
        Adaptive("fedadam", SecondMomentRule.Adam, BiasCorrection.NextRound, 0.1, Beta1),
        Adaptive("fedyogi", SecondMomentRule.Yogi, BiasCorrection.None, 0.01, Beta1),
        Adaptive("fedadagrad", SecondMomentRule.Adagrad, BiasCorrection.None, 0.1, Beta1 with { Default = 0 }),
        new("qfedavg", [Fairness, Rate with { Default = 0.1, Meaning = "the sites' learning rate, 1 / L" }],
            values => Of(new FairMean(values[Fairness], values[Rate]), new PlainStep(1))) { NeedsLosses = true },
        new("median", [Byzantine, Rate], values => Of(new CoordinateMedian(values.Whole(Byzantine)), Plain(values))),
        new("trimmedmean", [Trim, TrimCount, Rate],
            values => Of(new TrimmedMean(values[Trim], values.WholeOrNone(TrimCount)), Plain(values))),
        new("krum", [Byzantine, Rate], values => Of(new Krum(values.Whole(Byzantine), 1), Plain(values))),
        new("multikrum", [Byzantine, Keep, Rate], values => Of(new Krum(values.Whole(Byzantine), values.WholeOrNone(Keep)), Plain(values))),
        new("bulyan", [Byzantine, Rate], values => Of(new Bulyan(values.Whole(Byzantine)), Plain(values))),
        new("normbound", [Bound, Rate], values => Of(new WeightedMean(), Plain(values), new NormBound { Fixed = values.OrNone(Bound) })),
        new("fltrust", [Rate], values => Of(new TrustRoot(values.Root), Plain(values))) { NeedsRoot = true },
        new("fednova", [Rate], values => Of(new NormalizedMean(), Plain(values))),
    ];

    public static Strategy? Find(string name) => All.FirstOrDefault(strategy => strategy.Name == name);

    /// <summary>
    /// What a job gets that names no strategy: updates bounded at 1.5 times the running median of their norms; of the bounded updates
    /// federated averaging, in which no site counts more than <see cref="DefaultWeightLimit"/> times the median of the cases, or from
    /// <see cref="TrimmedMeanFrom"/> sites on the trimmed mean without a fifth on each side.
    /// </summary>
    public static AggregationSpec Default(int sites) =>
        Of(sites < TrimmedMeanFrom ? new WeightedMean() : new TrimmedMean(Trim.Default!.Value, null), new PlainStep(1), new NormBound())
            with { WeightLimit = DefaultWeightLimit };

    private static Strategy Adaptive(string name, SecondMomentRule kind, BiasCorrection correction, double rate, StrategyOption beta1)
    {
        var hasDecay = kind != SecondMomentRule.Adagrad;
        ImmutableArray<StrategyOption> options = [Rate with { Default = rate }, beta1, .. hasDecay ? [Beta2] : Array.Empty<StrategyOption>(), Tau];
        return new(name, options, values => Of(
            new WeightedMean(),
            new AdaptiveStep(values[Rate], kind, values[Beta1], hasDecay ? values[Beta2] : 0, values[Tau], correction)));
    }

    private static PlainStep Plain(StrategyValues values) => new(values[Rate]);

    private static AggregationSpec Of(CombineRule rule, ServerStep step, NormBound? bound = null) =>
        new() { Rule = rule, Step = step, Bound = bound };
}

/// <summary>A named strategy.</summary>
/// <param name="Name">As written in jobs and on the command line.</param>
/// <param name="Options">What may be set; anything else is refused.</param>
/// <param name="Build">Makes the spec from checked values.</param>
public sealed record Strategy(string Name, ImmutableArray<StrategyOption> Options, Func<StrategyValues, AggregationSpec> Build)
{
    /// <summary>Whether a trusted site must be named.</summary>
    public bool NeedsRoot { get; init; }

    /// <summary>Whether it looks at the sites' losses.</summary>
    public bool NeedsLosses { get; init; }

    /// <summary>The strategy with some options set.</summary>
    /// <param name="given">Checked values by option name; the others have their defaults.</param>
    /// <param name="root">The trusted site, where one is needed.</param>
    public AggregationSpec Create(IReadOnlyDictionary<string, double>? given = null, SiteId root = default) =>
        Build(new StrategyValues(this, given ?? ImmutableDictionary<string, double>.Empty, root));
}

/// <summary>One number a strategy can be given.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Default">What holds without it; <see langword="null"/> where its absence means something.</param>
/// <param name="Minimum">Smallest allowed value.</param>
/// <param name="Maximum">Largest allowed value.</param>
/// <param name="Meaning">For people.</param>
public sealed record StrategyOption(string Name, double? Default, double Minimum, double Maximum, string Meaning)
{
    /// <summary>Whether only whole numbers make sense.</summary>
    public bool Whole { get; init; }

    /// <summary>Whether a value is allowed.</summary>
    public bool Allows(double value) => value >= Minimum && value <= Maximum && (!Whole || value == Math.Floor(value));
}

/// <summary>The options somebody set, checked against their ranges; the others have their defaults.</summary>
/// <param name="Strategy">Whose options.</param>
/// <param name="Given">By option name.</param>
/// <param name="Root">The trusted site, of a strategy that needs one.</param>
public sealed record StrategyValues(Strategy Strategy, IReadOnlyDictionary<string, double> Given, SiteId Root)
{
    internal double this[StrategyOption option] => OrNone(option)!.Value;

    internal double? OrNone(StrategyOption option) =>
        Given.TryGetValue(option.Name, out var value) ? value : Strategy.Options.First(own => own.Name == option.Name).Default;

    internal int Whole(StrategyOption option) => (int)this[option];

    internal int? WholeOrNone(StrategyOption option) => (int?)OrNone(option);
}

using FedSeg.Federation.Aggregation;
using FedSeg.RedTeam.Tests.Report;
using FedSeg.RedTeam.Tests.Sites;

namespace FedSeg.RedTeam.Tests.Poisoning;

/// <summary>Two of eight sites are hostile, in a federation that trains as the product does.</summary>
public sealed class PoisoningTests(RedTeamReport report, PoisoningTests.Trained federation) : IClassFixture<PoisoningTests.Trained>
{
    private const string Backdoor = "D. Backdoor by a pixel trigger", Crafted = "D. Poisoned updates";
    private const double Boost = PoisonedFederation.Sites / PoisonedFederation.Hostile;

    [Theory]
    [InlineData("none named (StrategyCatalog.Default)")]
    [InlineData("normbound")]
    [InlineData("trimmedmean, 2 a side")]
    public void ModelReplacement_BoundedOrTrimmed_PlantsNoBackdoor(string strategy)
    {
        var model = federation.Sites.Run(Strategy(strategy), Boost);
        report.Require(OfBackdoor(strategy, model) with { AtMost = federation.Floor + 0.10,
            Remark = FormattableString.Invariant($"Dice {federation.Sites.Dice(model):F2}") });
        // A strategy that kept the model from learning at all would hold as well.
        Assert.InRange(federation.Sites.Dice(model), federation.CleanDice - 0.05, 1);
    }

    [Fact]
    public void SmallUpdates_BeneathEveryBound_AreMeasured()
    {
        var model = federation.Sites.Run(StrategyCatalog.Default(PoisonedFederation.Sites), boost: 1);
        report.Require(OfBackdoor("none named (StrategyCatalog.Default); updates not scaled", model) with
        {
            Remark = "two rounds of a run; patience may get further, and no rule here would see it",
        });
    }

    [Theory]
    [InlineData("x10", "none named (StrategyCatalog.Default)")]
    [InlineData("x10", "normbound")]
    [InlineData("x10", "trimmedmean, 2 a side")]
    [InlineData("x100", "none named (StrategyCatalog.Default)")]
    [InlineData("x100", "normbound")]
    [InlineData("x100", "trimmedmean, 2 a side")]
    [InlineData("sign flip x10", "none named (StrategyCatalog.Default)")]
    [InlineData("sign flip x10", "trimmedmean, 2 a side")]
    public void CraftedUpdates_Merged_StayNearTheHonestMean(string attack, string strategy)
    {
        var finding = OfCrafted(attack, strategy);
        report.Require(finding with { ControlAtLeast = 3, AtMost = finding.Floor + 0.5 });
    }

    /// <summary>
    /// "A little is enough" (Baruch et al. 2019) stays within what honest sites differ; nothing here stops it, and the report says by how
    /// much.
    /// </summary>
    [Theory]
    [InlineData("none named (StrategyCatalog.Default)")]
    [InlineData("normbound")]
    [InlineData("trimmedmean, 2 a side")]
    public void Alie_PassesEveryRule_IsMeasured(string strategy)
    {
        var finding = OfCrafted("ALIE, 1.5 standard deviations", strategy);
        report.Require(finding with { ControlAtLeast = 0.5, Remark = "passes every rule, within what hospitals honestly differ" });
        Assert.True(finding.Defended > finding.Floor, "The attack has no effect any more: the documents say otherwise.");
    }

    /// <summary>
    /// Five sites of 20 cases, of which one says that it has ten or a hundred times as many. What is measured is its share of the merged
    /// change.
    /// </summary>
    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public void Default_SiteThatLiesAboutItsCases_IsCapped(int times)
    {
        double[] cases = [20 * times, 20, 20, 20, 20];
        double Share(string strategy) =>
            Defences.Merge(Strategy(strategy, cases.Length), [[1, 0], .. Enumerable.Repeat<float[]>([0, 1], 4)], cases)[0];
        report.Require(new Finding
        {
            Attack = "D. Case counts",
            Target = $"1 of 5 sites states {times} times its cases; control: fedavg",
            Defence = "strategy: none named (StrategyCatalog.Default), no site above 3 × the median",
            Measure = "share of the merged change",
            Control = Share("fedavg"),
            ControlAtLeast = 0.7,
            Floor = 0.2,
            Defended = Share("none named (StrategyCatalog.Default)"),
            AtMost = 3.0 / 7 + 1e-6,
            Remark = "a bound on the lie, not its end; robust rules count every site once",
        });
    }

    private static AggregationSpec Strategy(string name, int sites = PoisonedFederation.Sites) => name switch
    {
        "fedavg" or "normbound" => StrategyCatalog.Find(name)!.Create(),
        "trimmedmean, 2 a side" =>
            StrategyCatalog.Find("trimmedmean")!.Create(new Dictionary<string, double> { ["byzantine"] = PoisonedFederation.Hostile }),
        _ => StrategyCatalog.Default(sites),
    };

    private Finding OfBackdoor(string strategy, float[] model) => new()
    {
        Attack = Backdoor,
        Target = "2 of 8 sites, updates scaled to replace the model; control: fedavg",
        Defence = "strategy: " + strategy,
        Measure = "triggered patients that lose their organ",
        Control = federation.Control,
        ControlAtLeast = 0.7,
        Floor = federation.Floor,
        Defended = federation.Sites.TriggerSuccess(model),
    };

    private Finding OfCrafted(string attack, string strategy) => new()
    {
        Attack = Crafted,
        Target = $"{attack}, 2 of 8 sites; control: fedavg",
        Defence = "strategy: " + strategy,
        Measure = "distance from the honest mean, over its length",
        Control = Distance(attack, "fedavg"),
        ControlAtLeast = 0,
        Floor = Distance("honest", strategy),
        Defended = Distance(attack, strategy),
    };

    private double Distance(string attack, string strategy)
    {
        var (honest, mean) = (federation.Honest, federation.HonestMean);
        float[] hostile = [.. mean.Select((value, k) => (float)(attack switch
        {
            "x10" => 10 * honest[0][k],
            "x100" => 100 * honest[0][k],
            "sign flip x10" => -10 * honest[0][k],
            "honest" => honest[0][k],
            _ => value - 1.5 * Math.Sqrt(honest.Average(update => (update[k] - value) * (update[k] - value))),
        }))];
        float[][] updates = [.. Enumerable.Repeat(hostile, PoisonedFederation.Hostile), .. honest];
        var merged = Defences.Merge(Strategy(strategy), updates, [.. updates.Select(_ => 1.0)]);
        return Math.Sqrt(merged.Zip(mean, (left, right) => (left - right) * (left - right)).Sum() / mean.Sum(value => value * value));
    }

    /// <summary>What all rows compare with, trained once.</summary>
    public sealed class Trained : IDisposable
    {
        public Trained(RedTeamReport report)
        {
            GC.KeepAlive(report);
            Sites = new PoisonedFederation();
            var clean = Sites.Run(Strategy("fedavg"), boost: 0);
            (Floor, CleanDice) = (Sites.TriggerSuccess(clean), Sites.Dice(clean));
            Control = Sites.TriggerSuccess(Sites.Run(Strategy("fedavg"), Boost));
            Honest = Sites.HonestUpdates();
            HonestMean = [.. Enumerable.Range(0, Honest[0].Length).Select(k => Honest.Average(update => (double)update[k]))];
        }

        internal PoisonedFederation Sites { get; }

        /// <summary>Success of the trigger on a model that nobody poisoned.</summary>
        internal double Floor { get; }

        internal double CleanDice { get; }

        /// <summary>Success under federated averaging.</summary>
        internal double Control { get; }

        internal float[][] Honest { get; }

        internal double[] HonestMean { get; }

        public void Dispose() => Sites.Dispose();
    }
}

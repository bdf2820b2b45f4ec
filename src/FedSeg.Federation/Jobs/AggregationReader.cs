using System.Collections.Immutable;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Jobs;

/// <summary>
/// Reads how a job merges its updates: a strategy of <see cref="StrategyCatalog"/> with its own options and no others, and a quorum that
/// the strategy can live with.
/// </summary>
internal static class AggregationReader
{
    /// <summary>Whether the coordinator sees each update or their sum only.</summary>
    private enum Mode
    {
        Inspectable,
        Blind,
    }

    /// <summary>Sites that no round may close without; each is one of the job's.</summary>
    public static ImmutableArray<SiteId> ReadRequired(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        var required = aggregation.Values<SiteId>(
            "requiredSites", text => SiteId.TryParse(text, null, out var site) ? site : null, "a site name (a-z, 0-9, '-')", 1, 1000);
        foreach (var stranger in required.Except(sites)) aggregation.Refuse("requiredSites", $"'{stranger}' is not one of the job's sites");
        return [.. required.Distinct().Order()];
    }

    /// <summary>Strategy, quorum and mode; what is wrong with them is noted in <paramref name="aggregation"/>.</summary>
    public static (AggregationSpec Strategy, int Quorum, BlindOptions? Blind) Read(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        var blind = aggregation.OneOf<Mode>("mode", Mode.Inspectable) == Mode.Blind ? ReadBlind(aggregation, sites) : null;
        var standard = blind is null ? StrategyCatalog.Default(sites.Length) : StrategyCatalog.Find("fedavg")!.Create();
        var spec = ReadStrategy(aggregation, sites, standard);
        if (aggregation.Has("maximumWeight"))
        {
            if (blind is not null) aggregation.Refuse("maximumWeight", "a blind round bounds the cases by blind: maximumCases");
            spec = spec with { WeightLimit = aggregation.Number("maximumWeight", 1, 1_000_000) };
        }

        var rule = spec.Rule.Describe();
        if (blind is not null && (spec.Rule is not WeightedMean || spec.Bound is not null))
        {
            aggregation.Refuse(
                "strategy", "a blind round gives the sum of the updates and no more: use fedavg, fedavgm, fedadam, fedyogi or fedadagrad");
        }

        var needed = blind is null ? spec.Rule.FewestForGuarantee : BlindSpec.ThresholdOf(sites.Length);
        // One dead site must not cost a federation of three or more its run, where the strategy can spare it.
        var spared = blind is not null ? needed : Math.Max(1, sites.Length >= 3 ? sites.Length - 1 : sites.Length);
        var all = Math.Max(1, sites.Length);
        var quorum = aggregation.WholeNumber("quorum", 1, all, Math.Min(all, Math.Max(spared, needed)));
        if (blind is not null && quorum < needed) aggregation.Refuse(
            "quorum", $"{quorum} is too few: a blind round of {sites.Length} sites needs {needed} to its end");
        else if (needed > sites.Length) aggregation.Refuse(
            "strategy", $"{rule} needs {needed} updates a round; the job has {sites.Length} sites");
        else if (needed > quorum) aggregation.Refuse("quorum", $"{quorum} is too few: {rule} needs {needed} updates a round");
        return (spec, quorum, blind);
    }

    private static BlindOptions ReadBlind(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        if (sites.Length is < BlindSpec.FewestSites or > BlindSpec.MostSites)
        {
            aggregation.Refuse(
                "mode", $"a blind round has {BlindSpec.FewestSites} to {BlindSpec.MostSites} sites; the job has {sites.Length}");
        }

        var map = aggregation.Map("blind", required: false);
        return new BlindOptions
        {
            Range = map.Number("range", 1e-6, 1e6, fallback: 1),
            MaximumCases = map.WholeNumber("maximumCases", 1, 1_000_000, fallback: 500),
            StepMinutes = map.Number("stepMinutes", 0.01, 1440, fallback: 10),
        };
    }

    private static AggregationSpec ReadStrategy(StrictYamlMap aggregation, ImmutableArray<SiteId> sites, AggregationSpec standard)
    {
        if (!aggregation.Has("strategy")) return standard;

        var name = aggregation.Text("strategy");
        if (StrategyCatalog.Find(name) is not { } strategy)
        {
            var known = string.Join(", ", StrategyCatalog.All.Select(known => known.Name));
            aggregation.Refuse("strategy", $"'{Quote.Of(name)}' is not one of: {known}");
            return standard;
        }

        var given = new Dictionary<string, double>();
        foreach (var option in strategy.Options.Where(option => aggregation.Has(option.Name)))
        {
            given[option.Name] = option.Whole
                ? aggregation.WholeNumber(option.Name, (int)option.Minimum, (int)option.Maximum)
                : aggregation.Number(option.Name, option.Minimum, option.Maximum);
        }

        var root = strategy.NeedsRoot ? ReadRoot(aggregation, sites) : default;
        return strategy.Create(given, root);
    }

    private static SiteId ReadRoot(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        var name = aggregation.Text("root");
        if (SiteId.TryParse(name, null, out var root) && sites.Contains(root)) return root;
        if (name.Length > 0) aggregation.Refuse(
            "root", $"'{Quote.Of(name)}' is not one of the job's sites; name the one with the trusted root set");
        return sites.FirstOrDefault();
    }
}

using System.Collections.Immutable;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Jobs;

/// <summary>
/// Reads how a job merges its updates: a strategy of <see cref="StrategyCatalog"/> with its own options and no others, and a quorum that
/// the strategy can live with.
/// </summary>
internal static class AggregationReader
{
    /// <summary>Strategy and quorum; what is wrong with them is noted in <paramref name="aggregation"/>.</summary>
    public static (AggregationSpec Strategy, int Quorum) Read(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        var spec = ReadStrategy(aggregation, sites);
        var needed = spec.Rule.FewestForGuarantee;
        // One dead site must not cost a federation of three or more its run, where the strategy can spare it.
        var spared = Math.Max(1, sites.Length >= 3 ? sites.Length - 1 : sites.Length);
        var all = Math.Max(1, sites.Length);
        var quorum = aggregation.WholeNumber("quorum", 1, all, Math.Min(all, Math.Max(spared, needed)));
        var rule = spec.Rule.Describe();
        if (needed > sites.Length) aggregation.Refuse("strategy", $"{rule} needs {needed} updates a round; the job has {sites.Length} sites");
        else if (needed > quorum) aggregation.Refuse("quorum", $"{quorum} is too few: {rule} needs {needed} updates a round");
        return (spec, quorum);
    }

    /// <summary>Sites that no round may close without; each is one of the job's.</summary>
    public static ImmutableArray<SiteId> ReadRequired(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        var required = aggregation.Values<SiteId>(
            "requiredSites", text => SiteId.TryParse(text, null, out var site) ? site : null, "a site name (a-z, 0-9, '-')", 1, 1000);
        foreach (var stranger in required.Except(sites)) aggregation.Refuse("requiredSites", $"'{stranger}' is not one of the job's sites");
        return [.. required.Distinct().Order()];
    }

    private static AggregationSpec ReadStrategy(StrictYamlMap aggregation, ImmutableArray<SiteId> sites)
    {
        var standard = StrategyCatalog.Default(sites.Length);
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
        if (name.Length > 0) aggregation.Refuse("root", $"'{Quote.Of(name)}' is not one of the job's sites; name the one with the trusted root set");
        return sites.FirstOrDefault();
    }
}

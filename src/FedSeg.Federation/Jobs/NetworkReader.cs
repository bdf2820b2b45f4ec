using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Jobs;

/// <summary>
/// Reads a job's <c>model</c>: a name of the allow-list and the numbers that go with it, each stage's triple written as <c>1x2x2</c> (z, y,
/// x). Or <c>planned</c>, for one that the sites' fingerprints decide.
/// </summary>
internal static class NetworkReader
{
    private const int FewestStages = 2, MostStages = 10;

    /// <returns>The network, and how it is planned where it is.</returns>
    public static (ArchitectureSpec Architecture, PlanningSpec? Planning) Read(StrictYamlMap model, int classes)
    {
        var name = model.Text("architecture");
        var unplanned = ArchitectureSpec.ToBePlanned(classes);
        return name == unplanned.Name ? (unplanned, ReadPlanning(model)) : (ReadNetwork(model, name, classes), null);
    }

    private static PlanningSpec ReadPlanning(StrictYamlMap model) => new()
    {
        Preset = model.OneOf<PlannerPresetName>("preset", PlannerPresetName.Plain),
        Configuration = model.Has("configuration") ? ReadConfiguration(model) : null,
        LeastCases = model.WholeNumber("leastCases", PlanningSpec.FewestCases, PlanningSpec.MostCases, fallback: 5),
    };

    private static string ReadConfiguration(StrictYamlMap model)
    {
        var name = model.Text("configuration");
        if (TrainingPlan.ConfigurationNames.Contains(name)) return name;
        model.Refuse("configuration", $"'{Quote.Of(name)}' is not one of: {string.Join(", ", TrainingPlan.ConfigurationNames)}");
        return name;
    }

    private static ArchitectureSpec ReadNetwork(StrictYamlMap model, string name, int classes)
    {
        if (!ArchitectureCatalog.Names.Contains(name))
        {
            var allowed = string.Join(", ", ArchitectureCatalog.Names.Append(ArchitectureSpec.ToBePlanned(classes).Name));
            model.Refuse("architecture", $"'{Quote.Of(name)}' is not on the allow-list; use one of: {allowed}");
        }

        return name is ArchitectureCatalog.PlannedUNet or ArchitectureCatalog.ResidualEncoderUNet
            ? Planned(model, name, classes)
            : new ArchitectureSpec
            {
                Name = name,
                Classes = classes,
                BaseFeatures = model.WholeNumber("baseFeatures", 2, 64, fallback: 8),
                Levels = model.WholeNumber("levels", 2, 6, fallback: 4),
            };
    }

    private static ArchitectureSpec Planned(StrictYamlMap model, string name, int classes)
    {
        var strides = Triples(model, "strides");
        var kernels = Triples(model, "kernels");
        var features = WholeNumbers(model, "features", 512);
        var blocks = WholeNumbers(model, "blocks", 8);
        var stages = new[] { strides.Length, kernels.Length, features.Length, blocks.Length };
        if (stages.Distinct().Count() > 1)
        {
            var counts = string.Join(", ", stages);
            model.Refuse("strides", $"strides, kernels, features and blocks have {counts} valid entries; each needs one a stage");
        }

        var spec = new ArchitectureSpec
        {
            Name = name,
            Classes = classes,
            Topology = new NetworkTopology
            {
                Stages = [.. Enumerable.Range(0, stages.Min()).Select(i => new NetworkStage
                {
                    Stride = strides[i],
                    Kernel = kernels[i],
                    Features = features[i],
                    Blocks = blocks[i],
                })],
                DecoderConvolutions = model.WholeNumber("decoderConvolutions", 1, 2, fallback: 2),
                DeepSupervision = model.Flag("deepSupervision", fallback: true),
            },
        };
        if (stages.Min() >= FewestStages)
        {
            foreach (var problem in ArchitectureCatalog.Problems(spec)) model.Refuse("strides", problem);
        }

        return spec;
    }

    private static ImmutableArray<ImmutableArray<int>> Triples(StrictYamlMap model, string key) =>
        model.Values<ImmutableArray<int>>(key, Triple, "three of 1, 2 and 3, such as 1x2x2", FewestStages, MostStages);

    private static ImmutableArray<int>? Triple(string text) => text is [>= '1' and <= '3', 'x', >= '1' and <= '3', 'x', >= '1' and <= '3']
        ? [text[0] - '0', text[2] - '0', text[4] - '0']
        : null;

    private static ImmutableArray<int> WholeNumbers(StrictYamlMap model, string key, int max) => model.Values<int>(
        key,
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var v) && v >= 1 && v <= max ? v : null,
        $"a whole number from 1 to {max}",
        FewestStages,
        MostStages);
}

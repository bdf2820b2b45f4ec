using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Planning;

namespace FedSeg.Federation.Tests.Planning;

/// <summary>What a run trains of a plan must be what the sites' gates let through.</summary>
public sealed class RunPlanningTests
{
    public static TheoryData<string, PlannerPresetName> Golden
    {
        get
        {
            var rows = new TheoryData<string, PlannerPresetName>();
            foreach (var preset in Enum.GetValues<PlannerPresetName>())
            {
                foreach (var name in DataSetNames) rows.Add(name, preset);
            }

            return rows;
        }
    }

    private static readonly string[] DataSetNames = ["hippocampus", "brain tumour", "spleen"];

    [Theory]
    [MemberData(nameof(Golden))]
    public void Of_AnyConfigurationOfAPublishedDataSet_MayBeTrainedAtEverySite(string name, PlannerPresetName preset)
    {
        var data = DataSet(name);
        var published = TrainingPlanner.Plan(data, preset);
        foreach (var configuration in published.Configurations)
        {
            var chosen = Planned(data, preset, configuration.Name);

            Assert.Empty(ArchitectureCatalog.PatchProblems(chosen.Architecture, chosen.PatchVoxels));
            Assert.Equal(configuration.PatchVoxels, chosen.PatchVoxels);
            if (ArchitectureCatalog.PatchProblems(configuration.Architecture, configuration.PatchVoxels).Count > 0) continue;
            Assert.Equal(Features(configuration), Features(chosen));
            Assert.Null(chosen.FeaturesCappedAt);
        }
    }

    [Fact]
    public void Of_FlatPatchSmallerThanAnOutputsInputs_CapsTheFeaturesAndSaysSo()
    {
        var plan = TrainingPlanner.Plan(DataSets.Hippocampus, PlannerPresetName.Plain);
        var published = plan.Configurations.Single(entry => entry.Name == "2d");
        var chosen = Planned(DataSets.Hippocampus, PlannerPresetName.Plain, "2d");

        Assert.Equal([1, 56, 40], chosen.PatchVoxels); // 2240 voxels; 256 features of 3 × 3 are 2304
        Assert.Equal([32, 64, 128, 256], Features(published));
        Assert.Equal([32, 64, 120, 120], Features(chosen)); // what a decoder joins is twice as wide: 2 · 120 · 9 = 2160
        Assert.Equal(120, chosen.FeaturesCappedAt);
        Assert.Equal(published.BatchSize, chosen.BatchSize);
        // Stages of 2240, 560, 140 and 35 voxels: two convolutions each, two more and a transposed one on the way back, a head.
        Assert.Equal(5 * (32 * 2240 + 64 * 560 + 120 * 140) + 2 * 120 * 35 + 3 * 2240, chosen.MemoryEstimate);
    }

    [Fact]
    public void Of_PatchTooSmallForAnyWidth_NamesTheWayOut()
    {
        var error = Assert.Throws<PlanningException>(
            () => Planned(DataSets.Of([1, 1, 1], [12, 12, 12], cases: 20, classes: 2), PlannerPresetName.Plain, "2d"));

        Assert.Contains("plan another configuration, or images of more voxels", error.Message);
    }

    private static ListedFingerprint DataSet(string name) => name switch
    {
        "hippocampus" => DataSets.Hippocampus,
        "brain tumour" => DataSets.BrainTumour,
        _ => DataSets.Spleen,
    };

    private static PlannedConfiguration Planned(ListedFingerprint data, PlannerPresetName preset, string configuration)
    {
        var builder = new FingerprintBuilder(data.Modality, [.. Enumerable.Range(1, data.Classes - 1).Select(label => $"label {label}")]);
        for (var i = 0; i < data.Cases; i++)
        {
            builder.Add($"p{i}", data.SpacingsMm[i].AsSpan(), [.. data.Shapes[i].Select(extent => (int)extent)], 1, [0.5, 1]);
        }

        var asked = new PlanningSpec { Preset = preset, Configuration = configuration, LeastCases = 5 };
        return asked.Choose(RunPlanning.Of(asked, [builder.Seal(5)!]));
    }

    private static IEnumerable<int> Features(PlannedConfiguration configuration) =>
        configuration.Architecture.Topology!.Stages.Select(stage => stage.Features);
}

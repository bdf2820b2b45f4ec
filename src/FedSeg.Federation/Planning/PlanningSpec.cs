using System.Text.Json.Serialization;

namespace FedSeg.Federation.Planning;

/// <summary>How a run's network is to be planned from its sites' fingerprints, before any of them trains.</summary>
public sealed record PlanningSpec
{
    /// <summary>Fewest cases behind any count of a fingerprint, from 2 on; a site's own policy may ask for more.</summary>
    public const int FewestCases = 2, MostCases = 1000;

    public required PlannerPresetName Preset { get; init; }

    /// <summary>Which network of the plan is trained, by its name there; absent for <see cref="TrainingPlan.Main"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Configuration { get; init; }

    /// <summary>Counts of fewer cases are left out of a site's fingerprint.</summary>
    public required int LeastCases { get; init; }

    /// <summary>What is wrong with it; <see langword="null"/> when nothing is.</summary>
    public string? Problem() =>
        LeastCases is < FewestCases or > MostCases ? $"counts of fewer than {FewestCases} cases tell on single patients"
        : Configuration is null || TrainingPlan.ConfigurationNames.Contains(Configuration) ? null
        : "the planned network has an unknown name";

    /// <summary>The network to train.</summary>
    /// <exception cref="PlanningException">The plan has none of that name.</exception>
    public PlannedConfiguration Choose(TrainingPlan plan) => Configuration is null
        ? plan.Main()
        : plan.Configurations.FirstOrDefault(configuration => configuration.Name == Configuration) ?? throw new PlanningException(
            $"these data give no {Configuration} network, only {string.Join(", ", plan.Configurations.Select(configuration => configuration.Name))}");
}

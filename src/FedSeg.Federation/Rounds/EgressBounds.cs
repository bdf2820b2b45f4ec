using System.Text.Json.Serialization;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// Bounds that a job sets for what leaves its sites, beside those of each site's own policy. The tighter of the two counts, so a job can add a rule and never take one
/// away.
/// </summary>
public sealed record EgressBounds
{
    /// <summary>Largest L2 norm of all weight changes of an update together; above 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaximumNorm { get; init; }

    /// <summary>Largest L2 norm of a tensor's change over that of the base model's tensor; above 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaximumTensorRatio { get; init; }

    /// <summary>Fewest cases an update must have been trained on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MinimumTrainingCases { get; init; }

    /// <summary>Fewest held-back cases behind a score that leaves.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MinimumHeldBackCases { get; init; }

    /// <summary>What is wrong with the numbers; <see langword="null"/> when nothing is.</summary>
    public string? Problem() =>
        MaximumNorm is { } norm && !(norm is > 0 and <= 1e12) ? "the job's bound on the norm is impossible"
        : MaximumTensorRatio is { } ratio && !(ratio is > 0 and <= 1e6) ? "the job's bound on a tensor's change is impossible"
        : MinimumTrainingCases is < 1 or > 1_000_000 || MinimumHeldBackCases is < 1 or > 1_000_000 ? "the job's bound on cases is impossible"
        : null;
}

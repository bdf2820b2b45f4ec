using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// How a round's updates become the next model, in three independent parts: each update may be shortened to a norm bound, the updates are
/// combined into one change of the weights, and the server takes a step along that change. Every named strategy (<see
/// cref="StrategyCatalog"/>) is a choice of these three.
/// </summary>
public sealed record AggregationSpec
{
    /// <summary>How updates become one change.</summary>
    public required CombineRule Rule { get; init; }

    /// <summary>How the change becomes a model.</summary>
    public required ServerStep Step { get; init; }

    /// <summary>How long an update may be; absent for any length.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NormBound? Bound { get; init; }

    /// <summary>
    /// Most that a site's cases count, as a multiple of the median of the round's; absent for as many as it states. A site states its count
    /// itself: without a limit a lie of a hundredfold is nearly the whole mean. At least 1.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? WeightLimit { get; init; }

    /// <summary>Contributions with weights within <see cref="WeightLimit"/>.</summary>
    internal ImmutableArray<Contribution> Limit(ImmutableArray<Contribution> contributions)
    {
        if (WeightLimit is not { } limit) return contributions;
        double[] sorted = [.. contributions.Select(contribution => contribution.Weight).Order()];
        var middle = sorted.Length / 2;
        var most = limit * (sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2);
        return [.. contributions.Select(contribution => contribution with { Weight = Math.Min(contribution.Weight, most) })];
    }

    /// <summary>Why these contributions can't be merged; <see langword="null"/> when they can.</summary>
    public string? Refuse(IReadOnlyCollection<Contribution> contributions)
    {
        if (contributions.Count < Rule.FewestUpdates)
        {
            return $"{Rule.Describe()} needs at least {Rule.FewestUpdates} updates; there are {contributions.Count}";
        }

        return Rule.Refuse(contributions);
    }
}

using System.Text.Json.Serialization;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Shortens an update longer than a bound to the bound's length; its direction stays (Sun et al. 2019, "Can you really backdoor federated
/// learning?", norm thresholding). Without a fixed bound, the bound runs with the federation: <see cref="Factor"/> times the median of the
/// norms of this round's updates and of the last
/// <see cref="HistoryRounds"/> rounds', measured before shortening. Fewer than half of them hostile can't lift a median beyond the honest
/// norms.
/// </summary>
public sealed record NormBound
{
    /// <summary>Rounds whose norms are remembered.</summary>
    public const int HistoryRounds = 10;

    /// <summary>A fixed bound on the L2 norm over all tensors; absent for the running median.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Fixed { get; init; }

    /// <summary>Multiple of the running median; 1.5 leaves room for sites whose data honestly differ.</summary>
    public double Factor { get; init; } = 1.5;

    /// <summary>What each update is multiplied by, in the order of <paramref name="norms"/>.</summary>
    /// <param name="norms">Norms of this round's updates; finite, at least one.</param>
    /// <param name="pastNorms">Norms of earlier rounds' updates.</param>
    internal double[] Scales(IReadOnlyList<double> norms, IReadOnlyList<double> pastNorms)
    {
        var limit = Fixed ?? Factor * Median([.. norms, .. pastNorms]);
        return [.. norms.Select(norm => norm <= limit ? 1 : limit / norm)];
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        var middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}

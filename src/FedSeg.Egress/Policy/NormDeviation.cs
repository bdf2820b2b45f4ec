namespace FedSeg.Egress.Policy;

/// <summary>
/// How far a norm lies from those before it, in robust standard deviations: |x − median| / (1.4826 · MAD), which a single odd round in the history does not move. Source:
/// Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), modified z-score.
/// </summary>
internal static class NormDeviation
{
    /// <summary>Fewest earlier norms to compare with.</summary>
    public const int MinimumHistory = 5;

    // Rounds of equal norm would make every other one infinitely far away.
    private const double SmallestSpread = 0.05;
    private const double MadToDeviation = 1.4826;

    /// <returns><see langword="null"/> when there are too few to compare with; NaN for a norm that is not finite.</returns>
    public static double? Of(double norm, IReadOnlyCollection<double> earlier)
    {
        if (earlier.Count < MinimumHistory) return null;
        var median = Median(earlier);
        var spread = Math.Max(MadToDeviation * Median(earlier.Select(value => Math.Abs(value - median))), SmallestSpread * median);
        return Math.Abs(norm - median) / spread;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}

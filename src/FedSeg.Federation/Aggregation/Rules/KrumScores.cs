namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>The score of Krum: how far an update lies from its nearest neighbours.</summary>
internal static class KrumScores
{
    /// <summary>
    /// For each candidate the sum, in ascending order, of its squared distances to the (candidates − byzantine − 2, at least 1) nearest
    /// others.
    /// </summary>
    /// <param name="distances">Squared distances between all updates.</param>
    /// <param name="candidates">The updates that still compete.</param>
    /// <param name="byzantine">Sites that may be hostile.</param>
    public static double[] Of(double[,] distances, IReadOnlyList<int> candidates, int byzantine)
    {
        var neighbours = Math.Max(1, candidates.Count - byzantine - 2);
        return [.. candidates.Select(candidate => candidates
            .Where(other => other != candidate)
            .Select(other => distances[candidate, other])
            .Order()
            .Take(neighbours)
            .Sum())];
    }
}

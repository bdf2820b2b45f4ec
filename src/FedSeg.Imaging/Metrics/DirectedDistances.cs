namespace FedSeg.Imaging.Metrics;

/// <summary>How far the pieces of one surface are from another, mm, each with its weight. Sums run from near to far, in double.</summary>
internal sealed class DirectedDistances
{
    private readonly double[] distances;
    private readonly double[] reached;

    /// <param name="slices">
    /// Weights by squared distance, mm²; sums of the same distance are formed in this order, so that threads can't change them.
    /// </param>
    public DirectedDistances(IEnumerable<Dictionary<double, double>> slices)
    {
        var weights = new Dictionary<double, double>();
        foreach (var (squared, weight) in slices.SelectMany(slice => slice)) weights[squared] = weights.GetValueOrDefault(squared) + weight;
        var sorted = weights.OrderBy(entry => entry.Key).ToArray();
        distances = new double[sorted.Length];
        reached = new double[sorted.Length];
        for (var i = 0; i < sorted.Length; i++)
        {
            distances[i] = Math.Sqrt(sorted[i].Key);
            Total += sorted[i].Value;
            Sum += sorted[i].Value * distances[i];
            reached[i] = Total;
        }
    }

    /// <summary>Weight of all pieces.</summary>
    public double Total { get; }

    /// <summary>Distance times weight, over all pieces.</summary>
    public double Sum { get; }

    public double Mean => Sum / Total;

    public double Largest => distances[^1];

    /// <summary>Weight of the pieces no farther than this.</summary>
    public double WeightWithin(double toleranceMm)
    {
        var after = Array.BinarySearch(distances, toleranceMm);
        after = after >= 0 ? after + 1 : ~after;
        // Two squares may have one root.
        while (after < distances.Length && distances[after] <= toleranceMm) after++;
        return after == 0 ? 0 : reached[after - 1];
    }

    /// <summary>Where each piece counts as one: linear between order statistics, as numpy does it.</summary>
    public double Percentile(double percent)
    {
        var at = percent / 100 * (Total - 1);
        var below = Math.Floor(at);
        return OrderStatistic(below) + (OrderStatistic(Math.Min(below + 1, Total - 1)) - OrderStatistic(below)) * (at - below);
    }

    /// <summary>The distance at which this share of the weight is reached, not interpolated.</summary>
    public double WeightedPercentile(double percent)
    {
        var at = Array.FindIndex(reached, weight => weight / Total >= percent / 100);
        return distances[at < 0 ? ^1 : at];
    }

    private double OrderStatistic(double k) => distances[Array.FindIndex(reached, count => count > k)];
}

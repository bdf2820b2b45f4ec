namespace FedSeg.Segmentation.Uncertainty;

/// <summary>
/// Whether a quality score finds the bad segmentations: with the least confident cases left to a person, what is the mean risk (1 − Dice)
/// of the rest, over all shares that may be kept. Areas under that curve; smaller is better. Geifman and El-Yaniv, NeurIPS 2017; Jaeger et
/// al., ICLR 2023.
/// </summary>
/// <param name="Aurc">Area under the risk-coverage curve, by trapezoids from one case kept to all.</param>
/// <param name="Optimal">The same for a score that knew the risks.</param>
/// <param name="Random">The same, expected, for one that knows nothing: the mean risk.</param>
public sealed record RiskCoverage(double Aurc, double Optimal, double Random)
{
    /// <summary>eAURC: what the score falls short of the optimum; 0 is perfect.</summary>
    public double Excess => Aurc - Optimal;

    /// <summary>1 where the score is perfect, 0 where it knows nothing; NaN where all risks are the same.</summary>
    public double Normalised => (Random - Aurc) / (Random - Optimal);

    /// <param name="confidences">A score a case, higher for one that is trusted more; cases of the same score stay in their order.</param>
    /// <param name="risks">1 − Dice of the same cases; at least two.</param>
    public static RiskCoverage Of(IReadOnlyList<double> confidences, IReadOnlyList<double> risks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(risks.Count, 2, nameof(risks));
        if (confidences.Count != risks.Count)
        {
            throw new ArgumentException($"{confidences.Count} scores, but {risks.Count} risks.", nameof(risks));
        }

        var trusted = Enumerable.Range(0, risks.Count).OrderByDescending(i => confidences[i]).Select(i => risks[i]);
        return new RiskCoverage(Area([.. trusted]), Area([.. risks.Order()]), risks.Average());
    }

    /// <param name="risks">From the first case kept to the last.</param>
    private static double Area(double[] risks)
    {
        var area = 0.0;
        var (sum, before) = (risks[0], risks[0]);
        for (var kept = 2; kept <= risks.Length; kept++)
        {
            sum += risks[kept - 1];
            var mean = sum / kept;
            area += (before + mean) / 2 / risks.Length;
            before = mean;
        }

        return area;
    }
}

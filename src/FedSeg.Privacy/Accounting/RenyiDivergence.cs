namespace FedSeg.Privacy.Accounting;

/// <summary>
/// Rényi divergence of one step of the sampled Gaussian mechanism (Mironov, Talwar and Zhang 2019, "Rényi differential privacy of the
/// sampled Gaussian mechanism", sections 3.2 and 3.3). Everything in logarithms. In the fractional orders the generalised binomial
/// coefficients change sign; the sign is kept, where some libraries drop it and get a looser bound.
/// </summary>
internal static class RenyiDivergence
{
    /// <summary>Terms smaller than the sum by this factor (in logarithms) end the alternating series: 7e-13.</summary>
    private const double Negligible = 28;

    private const int MostTerms = 2_000_000;

    /// <summary>RDP(α) of one step: ln A(α) / (α − 1).</summary>
    /// <param name="q">Sampling rate, 0 to 1.</param>
    /// <param name="sigma">Noise multiplier, at least 0.</param>
    /// <param name="order">α, above 1.</param>
    public static double Of(double q, double sigma, double order)
    {
        if (q == 0) return 0;
        if (sigma == 0 || double.IsPositiveInfinity(order)) return double.PositiveInfinity;
        return q == 1 ? order / (2 * sigma * sigma) : LogMoment(q, sigma, order) / (order - 1);
    }

    /// <summary>ln A(α) = ln E over N(0, σ²) of ((1 − q) + q e^((2z − 1) / 2σ²))^α.</summary>
    public static double LogMoment(double q, double sigma, double order) =>
        order == Math.Floor(order) ? WholeOrder(q, sigma, (int)order) : FractionalOrder(q, sigma, order);

    /// <summary>Σ over i of C(α, i) (1 − q)^(α − i) q^i e^((i² − i) / 2σ²).</summary>
    private static double WholeOrder(double q, double sigma, int order)
    {
        var sum = new SignedLogSum();
        var logBinomial = 0.0;
        for (var i = 0; i <= order; i++)
        {
            sum.Add(logBinomial + i * Math.Log(q) + (order - i) * LogOneMinus(q) + (i * (i - 1.0)) / (2 * sigma * sigma), 1);
            logBinomial += Math.Log(order - i) - Math.Log(i + 1);
        }

        return sum.Log;
    }

    /// <summary>
    /// The integral cut at z₀, where both parts of the mixture weigh the same, each half expanded in its own direction. Beyond z₀ the
    /// exponents of a term and of its erfc cancel to one common factor (<c>tail</c>), which is taken out before they are computed.
    /// </summary>
    private static double FractionalOrder(double q, double sigma, double order)
    {
        var (logQ, logRest) = (Math.Log(q), LogOneMinus(q));
        var variance = sigma * sigma;
        var cut = variance * (logRest - logQ) + 0.5;
        var tail = order * logRest - cut * cut / (2 * variance) - Math.Log(2);
        var root = Math.Sqrt(2) * sigma;

        var sum = new SignedLogSum();
        var (logBinomial, sign) = (0.0, 1);
        for (var i = 0; i < MostTerms; i++)
        {
            var j = order - i;
            var below = Part(i, (i - cut) / root, i * logQ + j * logRest);
            var above = Part(j, (cut - j) / root, j * logQ + i * logRest);
            sum.Add(logBinomial + below, sign);
            sum.Add(logBinomial + above, sign);
            if (i > order && logBinomial + Math.Max(below, above) < Math.Max(0, sum.Log) - Negligible) break;

            logBinomial += Math.Log(Math.Abs(j)) - Math.Log(i + 1);
            if (j < 0) sign = -sign;
        }

        return sum.Log;

        double Part(double power, double erfcArgument, double logWeight) => erfcArgument > 0
            ? tail + Math.Log(NormalTail.ScaledErfc(erfcArgument))
            : logWeight + power * (power - 1) / (2 * variance) + NormalTail.LogErfc(erfcArgument) - Math.Log(2);
    }

    /// <summary>ln(1 − q) without losing a small q.</summary>
    private static double LogOneMinus(double q) => q < 1e-4 ? -q * (1 + q * (0.5 + q * (1.0 / 3 + q / 4))) : Math.Log(1 - q);
}

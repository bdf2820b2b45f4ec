namespace FedSeg.Privacy.Accounting;

/// <summary>
/// The exact Gaussian mechanism (Balle and Wang 2018, "Improving the Gaussian mechanism for differential privacy", theorem 8), for steps in
/// which everybody takes part: T of them with noise σ are one with σ / √T. Tight.
/// </summary>
public static class GaussianAccountant
{
    /// <summary>δ(ε) = Φ(1/2σ − εσ) − e^ε Φ(−1/2σ − εσ).</summary>
    /// <param name="sigma">Noise multiplier of all steps together.</param>
    /// <param name="epsilon">ε, at least 0.</param>
    public static double Delta(double sigma, double epsilon)
    {
        if (sigma == 0) return 1;
        var first = NormalTail.LogCumulative(0.5 / sigma - epsilon * sigma);
        var second = epsilon + NormalTail.LogCumulative(-0.5 / sigma - epsilon * sigma);
        return second >= first ? 0 : Math.Exp(first) * -Expm1(second - first);
    }

    /// <summary>Smallest ε at a δ.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The mechanism samples, or δ is not between 0 and 1.</exception>
    public static double Epsilon(SampledGaussian mechanism, double delta) => Epsilon([mechanism], delta);

    /// <summary>Smallest ε at a δ of steps that all have a noise of their own: together one Gaussian of 1 / σ² = Σ T / σ².</summary>
    /// <exception cref="ArgumentOutOfRangeException">A mechanism samples, or δ is not between 0 and 1.</exception>
    public static double Epsilon(IEnumerable<SampledGaussian> mechanisms, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(delta is > 0 and < 1, true, nameof(delta));
        var precision = 0.0;
        foreach (var (q, noise, steps) in mechanisms.Select(mechanism => mechanism.Checked()))
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(q, 1, nameof(mechanisms));
            if (steps > 0) precision += steps / (noise * noise);
        }

        if (precision == 0) return 0;
        if (double.IsPositiveInfinity(precision)) return double.PositiveInfinity;
        var sigma = 1 / Math.Sqrt(precision);
        if (Delta(sigma, 0) <= delta) return 0;

        var (low, high) = (0.0, 1.0);
        while (Delta(sigma, high) > delta) high *= 2;
        while (high - low > 1e-13 * high)
        {
            var middle = (low + high) / 2;
            if (middle == low || middle == high) break;
            if (Delta(sigma, middle) > delta) low = middle;
            else high = middle;
        }

        return high;
    }

    /// <summary>eˣ − 1 for x below 0.</summary>
    private static double Expm1(double x)
    {
        if (x < -0.01) return Math.Exp(x) - 1;
        var term = x;
        var sum = x;
        for (var n = 2; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= x / n;
            sum += term;
        }

        return sum;
    }
}

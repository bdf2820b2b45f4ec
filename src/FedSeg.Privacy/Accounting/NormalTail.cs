namespace FedSeg.Privacy.Accounting;

/// <summary>
/// The normal distribution and its error function, to about 14 digits also far out in the tail, where 1 − Φ itself would be 0. Below 1.5
/// the Maclaurin series of erf in its all-positive form, beyond the continued fraction of erfc (Abramowitz and Stegun 7.1.6, 7.1.14).
/// </summary>
internal static class NormalTail
{
    private const double SeriesEnd = 1.5;
    private static readonly double InverseRootPi = 1 / Math.Sqrt(Math.PI);

    /// <summary>erfc(x).</summary>
    public static double Erfc(double x) => x < SeriesEnd ? (x < 0 ? 2 - Erfc(-x) : 1 - Erf(x)) : Math.Exp(-x * x) * ScaledErfc(x);

    /// <summary>ln erfc(x), finite where erfc itself underflows.</summary>
    public static double LogErfc(double x) => x < SeriesEnd ? Math.Log(Erfc(x)) : -x * x + Math.Log(ScaledErfc(x));

    /// <summary>e^(x²) erfc(x) for x of at least 0.</summary>
    public static double ScaledErfc(double x)
    {
        if (x < SeriesEnd) return Math.Exp(x * x) * (1 - Erf(x));
        // The number of terms that leaves 1e-16, from the fraction's rate of convergence.
        var fraction = x;
        for (var k = 12 + (int)(180 / (x * x)); k >= 1; k--) fraction = x + k / 2.0 / fraction;
        return InverseRootPi / fraction;
    }

    /// <summary>Φ(x): the chance that a standard normal number is at most x.</summary>
    public static double Cumulative(double x) => 0.5 * Erfc(-x / Math.Sqrt(2));

    /// <summary>ln Φ(x).</summary>
    public static double LogCumulative(double x) => LogErfc(-x / Math.Sqrt(2)) - Math.Log(2);

    private static double Erf(double x)
    {
        var term = x;
        var sum = x;
        for (var n = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }

        return 2 * InverseRootPi * Math.Exp(-x * x) * sum;
    }
}

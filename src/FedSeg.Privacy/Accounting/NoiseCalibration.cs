namespace FedSeg.Privacy.Accounting;

/// <summary>
/// Finds the noise a budget asks for: the smallest multiplier whose ε is not above the target, to a stated relative width.
/// </summary>
public static class NoiseCalibration
{
    /// <summary>Noise multipliers that are looked at.</summary>
    public const double Smallest = 0.01, Largest = 1e6;

    private const double QuickWidth = 1e-7, TransformWidth = 1e-4;

    /// <summary>By the accounting that budgets are kept in (<see cref="PatientEpsilon"/>).</summary>
    public static double? ForPatients(double epsilon, double delta, double samplingRate, long steps) =>
        Find(sigma => PatientEpsilon.Of([new SampledGaussian(samplingRate, sigma, steps)], delta), epsilon, QuickWidth, 1);

    /// <summary>By Rényi accounting.</summary>
    public static double? Rdp(double epsilon, double delta, double samplingRate, long steps) =>
        Find(sigma => new RdpAccountant().Add(new SampledGaussian(samplingRate, sigma, steps)).Epsilon(delta).Epsilon, epsilon, QuickWidth, 1);

    /// <summary>By the privacy loss distribution; starts from the Rényi answer, which is never too small.</summary>
    public static double? Pld(double epsilon, double delta, double samplingRate, long steps) =>
        Rdp(epsilon, delta, samplingRate, steps) is { } start
            ? Find(sigma => new PldAccountant().Add(new SampledGaussian(samplingRate, sigma, steps)).Epsilon(delta), epsilon, TransformWidth, start)
            : null;

    /// <summary>By the exact Gaussian mechanism, everybody taking part in every step.</summary>
    public static double? Gaussian(double epsilon, double delta, long steps) =>
        Find(sigma => GaussianAccountant.Epsilon(new SampledGaussian(1, sigma, steps), delta), epsilon, QuickWidth, 1);

    /// <summary>Encloses the answer and narrows the enclosure along the secant: ln ε is nearly straight in ln σ.</summary>
    /// <param name="epsilonOf">ε of a noise multiplier; falls as noise grows.</param>
    /// <param name="target">ε to keep to.</param>
    /// <param name="width">Relative width at which the enclosure is narrow enough; its upper end is the answer.</param>
    /// <param name="start">Where to begin.</param>
    /// <returns>
    /// <see langword="null"/> when even <see cref="Largest"/> is not enough; <see cref="Smallest"/> when no less noise is looked at.
    /// </returns>
    private static double? Find(Func<double, double> epsilonOf, double target, double width, double start)
    {
        var high = (Sigma: start, Epsilon: epsilonOf(start));
        var low = high;
        for (var factor = 1.1; high.Epsilon > target; factor *= factor)
        {
            if (high.Sigma >= Largest) return null;
            low = high;
            var more = Math.Min(Largest, high.Sigma * factor);
            high = (more, epsilonOf(more));
        }

        for (var factor = 1.1; low.Epsilon <= target; factor *= factor)
        {
            if (low.Sigma <= Smallest) return Smallest;
            high = low;
            var less = Math.Max(Smallest, low.Sigma / factor);
            low = (less, epsilonOf(less));
        }

        while (high.Sigma / low.Sigma > 1 + width)
        {
            var guess = Secant(low, high, target);
            Narrow(guess);
            // The root lies close to the guess; a look just beyond it closes the enclosure from the other side.
            var beyond = high.Sigma == guess ? guess / (1 + width / 2) : guess * (1 + width / 2);
            if (beyond > low.Sigma && beyond < high.Sigma) Narrow(beyond);
        }

        return high.Sigma;

        void Narrow(double sigma)
        {
            var epsilon = epsilonOf(sigma);
            if (epsilon <= target) high = (sigma, epsilon);
            else low = (sigma, epsilon);
        }
    }

    private static double Secant((double Sigma, double Epsilon) low, (double Sigma, double Epsilon) high, double target)
    {
        var share = (Math.Log(low.Epsilon) - Math.Log(target)) / (Math.Log(low.Epsilon) - Math.Log(high.Epsilon));
        // Half-way where ε is 0 or infinite at an end, and never at an end itself.
        if (!double.IsFinite(share) || high.Epsilon == 0) share = 0.5;
        return low.Sigma * Math.Pow(high.Sigma / low.Sigma, Math.Clamp(share, 0.001, 0.999));
    }
}

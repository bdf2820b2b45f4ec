using System.Numerics;

namespace FedSeg.Privacy.Accounting;

/// <summary>
/// Accounting by the privacy loss distribution (Koskela et al. 2020; Gopi et al. 2021): the losses of all steps are added as random
/// numbers, by Fourier transform, instead of being bounded one by one. Tight: the result is an upper bound (grid and cut tails are rounded
/// against us) within about 1e-4 of the true ε. Rounding noise of the transform allows deltas down to <see cref="SmallestDelta"/>.
/// </summary>
public sealed class PldAccountant
{
    /// <summary>Smallest δ it answers for.</summary>
    public const double SmallestDelta = 1e-11;

    /// <summary>How far the grid may move a composed loss, in ε.</summary>
    private const double GridError = 2e-5;

    private const double CoarsestStep = 1e-3;
    private const int LongestTransform = 1 << 21;

    private readonly List<(SampledGaussian Mechanism, RecordMixture Mixture)> _mechanisms = [];

    /// <summary>Adds steps of the sampled Gaussian mechanism.</summary>
    /// <param name="mechanism">The steps.</param>
    /// <param name="recordsPerPatient">
    /// Records of one patient that are sampled each by itself, at least 1. Tighter than <see cref="GroupPrivacy"/>: that they seldom meet
    /// in a step is counted.
    /// </param>
    public PldAccountant Add(SampledGaussian mechanism, int recordsPerPatient = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(recordsPerPatient, 1);
        var (q, sigma, steps) = mechanism.Checked();
        if (q > 0 && steps > 0) _mechanisms.Add((mechanism, new RecordMixture(q, sigma, recordsPerPatient)));
        return this;
    }

    /// <summary>Smallest ε at a δ, for both directions of adding and removing a patient.</summary>
    /// <param name="delta">δ, from <see cref="SmallestDelta"/> to below 1.</param>
    public double Epsilon(double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(delta is >= SmallestDelta and < 1, true, nameof(delta));
        if (_mechanisms.Count == 0) return 0;
        if (_mechanisms.Exists(entry => entry.Mechanism.NoiseMultiplier == 0)) return double.PositiveInfinity;
        return Math.Max(Compose(Neighbour.Removed, delta).Epsilon(delta), Compose(Neighbour.Added, delta).Epsilon(delta));
    }

    private ComposedLoss Compose(Neighbour neighbour, double delta)
    {
        var totalSteps = _mechanisms.Sum(entry => (double)entry.Mechanism.Steps);
        // What the noise does beyond the reach, over all steps together, is a millionth of δ.
        var reach = 1.0;
        while (totalSteps * NormalTail.Cumulative(-reach) > 1e-6 * delta) reach += 0.25;

        var ranges = _mechanisms.ConvertAll(entry => (
            entry.Mixture,
            Range: PrivacyLossDistribution.Range(entry.Mixture, entry.Mechanism.NoiseMultiplier, neighbour, reach),
            entry.Mechanism.Steps));
        // Fine enough for the error, coarse enough for one step's own losses to fit half the longest transform.
        var step = Math.Min(CoarsestStep, Math.Sqrt(8 * GridError / totalSteps));
        step = Math.Max(step, ranges.Max(entry => entry.Range.High - entry.Range.Low) / (LongestTransform / 2));
        while (true)
        {
            var losses = ranges.ConvertAll(entry => (Loss: PrivacyLossDistribution.Of(entry.Mixture, neighbour, entry.Range, step), entry.Steps));
            var window = LossWindow.Of(losses, 1e-6 * delta);
            if (window.Points <= LongestTransform) return ComposedLoss.Of(losses, window);
            step *= Math.Max(1.01, 1.01 * window.Points / LongestTransform);
        }
    }
}

/// <summary>The part of the loss axis that holds all but a sliver of a composed loss, by Chernoff's bound.</summary>
/// <param name="First">Index of its lowest grid point.</param>
/// <param name="Points">Its length.</param>
/// <param name="Outside">Bound on the probability outside it.</param>
internal sealed record LossWindow(long First, long Points, double Outside)
{
    public static LossWindow Of(IReadOnlyList<(PrivacyLossDistribution Loss, long Steps)> losses, double sliver)
    {
        var step = losses[0].Loss.Step;
        double lowest = losses.Sum(entry => (double)entry.Steps * entry.Loss.First);
        double highest = losses.Sum(entry => (double)entry.Steps * (entry.Loss.First + entry.Loss.Masses.Length - 1));
        var (low, high) = (lowest, highest);
        // Any λ gives a valid bound; these cover losses from far below 1 to hundreds.
        for (var lambda = 1.0 / 16; lambda <= 4096; lambda *= 4)
        {
            high = Math.Min(high, Math.Ceiling((LogMoment(lambda) - Math.Log(sliver)) / lambda / step));
            low = Math.Max(low, Math.Floor((Math.Log(sliver) - LogMoment(-lambda)) / lambda / step));
        }

        return new LossWindow((long)low, (long)(Math.Max(high, low) - low) + 1, 2 * sliver);

        double LogMoment(double lambda) => losses.Sum(entry => entry.Steps * entry.Loss.LogMoment(lambda));
    }
}

/// <summary>The sum of the losses of all steps.</summary>
/// <param name="first">Index of the lowest grid point.</param>
/// <param name="masses">Probability of each grid point.</param>
/// <param name="infinite">Probability of a loss of infinity or outside the grid.</param>
/// <param name="step">The grid's step.</param>
internal sealed class ComposedLoss(long first, double[] masses, double infinite, double step)
{
    public static ComposedLoss Of(IReadOnlyList<(PrivacyLossDistribution Loss, long Steps)> losses, LossWindow window)
    {
        var length = (int)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(2, window.Points));
        var product = new Complex[length];
        Array.Fill(product, Complex.One);
        var logFinite = 0.0;
        foreach (var (loss, steps) in losses)
        {
            var spectrum = new Complex[length];
            // Indices count modulo the length: what a step places outside the window comes to lie where the sum belongs.
            for (var i = 0; i < loss.Masses.Length; i++) spectrum[Wrap(loss.First + i, length)] += loss.Masses[i];
            FourierTransform.Forward(spectrum);
            for (var k = 0; k < length; k++) product[k] *= Power(spectrum[k], steps);
            logFinite += steps * Math.Log(1 - loss.Infinite);
        }

        FourierTransform.Inverse(product);
        var masses = new double[length];
        for (var i = 0; i < length; i++) masses[i] = Math.Max(0, product[Wrap(window.First + i, length)].Real);
        return new ComposedLoss(window.First, masses, 1 - Math.Exp(logFinite) + window.Outside, losses[0].Loss.Step);
    }

    /// <summary>Smallest ε with δ(ε) = P(∞) + Σ over losses above ε of p (1 − e^(ε − loss)) at most δ.</summary>
    public double Epsilon(double delta)
    {
        if (infinite > delta) return double.PositiveInfinity;
        // From the top down: all mass above, and the same discounted to the present point.
        var (above, discounted) = (0.0, 0.0);
        var decay = Math.Exp(-step);
        for (var i = masses.Length - 1; i >= 0; i--)
        {
            var here = (first + i) * step;
            if (infinite + above - discounted > delta)
            {
                // Between this point and the next δ falls along e^ε.
                return Math.Max(0, here + Math.Log((infinite + above - delta) / discounted));
            }

            if (here < 0) return 0;
            above += masses[i];
            discounted = (discounted + masses[i]) * decay;
        }

        return 0;
    }

    private static int Wrap(long index, int length) => (int)(((index % length) + length) % length);

    private static Complex Power(Complex value, long exponent)
    {
        var magnitude = Math.Exp(exponent * Math.Log(value.Magnitude));
        return Complex.FromPolarCoordinates(magnitude, Math.IEEERemainder(exponent * value.Phase, 2 * Math.PI));
    }
}

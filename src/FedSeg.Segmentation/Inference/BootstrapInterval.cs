namespace FedSeg.Segmentation.Inference;

/// <summary>
/// A 95 % interval for a mean over patients by the percentile bootstrap: patients are drawn with replacement, all cases of a patient
/// together, because those are not independent. Source: Efron and Tibshirani 1993, chapter 13.
/// </summary>
/// <param name="Low">2.5th percentile of the resampled means.</param>
/// <param name="High">97.5th percentile.</param>
public readonly record struct BootstrapInterval(double Low, double High)
{
    private const int Resamples = 2000;

    /// <param name="valuesByPatient">Each patient's values, one a case; empty for a patient who says nothing.</param>
    /// <param name="seed">Seeds the draws.</param>
    /// <returns>NaN when there is no value at all.</returns>
    public static BootstrapInterval OfMean(IReadOnlyList<IReadOnlyList<double>> valuesByPatient, int seed)
    {
        var patients = valuesByPatient.Where(values => values.Count > 0).Select(values => (Sum: values.Sum(), values.Count)).ToArray();
        if (patients.Length == 0) return new BootstrapInterval(double.NaN, double.NaN);
        var random = new Random(seed);
        var means = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            var (sum, count) = (0.0, 0);
            for (var draw = 0; draw < patients.Length; draw++)
            {
                var patient = patients[random.Next(patients.Length)];
                sum += patient.Sum;
                count += patient.Count;
            }

            means[i] = sum / count;
        }

        Array.Sort(means);
        return new BootstrapInterval(Percentile(means, 0.025), Percentile(means, 0.975));
    }

    /// <summary>Linear between order statistics.</summary>
    private static double Percentile(double[] sorted, double share)
    {
        var position = (sorted.Length - 1) * share;
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
    }
}

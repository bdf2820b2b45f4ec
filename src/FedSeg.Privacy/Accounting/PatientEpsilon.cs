namespace FedSeg.Privacy.Accounting;

/// <summary>
/// The ε that a site's budget, its calibration and its reports go by: Rényi accounting, and where everybody takes part in every step the
/// exact Gaussian mechanism as well. Both are upper bounds for the same steps at the same δ, so the smaller one holds.
/// </summary>
public static class PatientEpsilon
{
    /// <summary>ε of all steps together at a δ.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is impossible, or δ is not between 0 and 1.</exception>
    public static double Of(IReadOnlyCollection<SampledGaussian> mechanisms, double delta)
    {
        var accountant = new RdpAccountant();
        // Steps of one kind are one computation, however many rounds they came from.
        foreach (var kind in mechanisms.GroupBy(mechanism => (mechanism.SamplingRate, mechanism.NoiseMultiplier)))
        {
            accountant.Add(new SampledGaussian(kind.Key.SamplingRate, kind.Key.NoiseMultiplier, kind.Sum(mechanism => mechanism.Steps)));
        }

        var bound = accountant.Epsilon(delta).Epsilon;
        return mechanisms.All(mechanism => mechanism.SamplingRate == 1)
            ? Math.Min(bound, GaussianAccountant.Epsilon(mechanisms, delta))
            : bound;
    }
}

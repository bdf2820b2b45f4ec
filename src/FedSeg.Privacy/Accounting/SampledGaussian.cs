namespace FedSeg.Privacy.Accounting;

/// <summary>
/// Steps of the sampled Gaussian mechanism, the unit every accountant counts: each patient (or whatever is protected) enters a step with
/// probability
/// <see cref="SamplingRate"/>, independently (Poisson sampling), the sum of clipped contributions gets Gaussian noise. Neighbouring data
/// sets differ by one patient added or removed.
/// </summary>
/// <param name="SamplingRate">q, 0 to 1; 1 means that everybody takes part in every step.</param>
/// <param name="NoiseMultiplier">σ: standard deviation of the noise over the clipping norm; 0 is no privacy.</param>
/// <param name="Steps">T, at least 0.</param>
public sealed record SampledGaussian(double SamplingRate, double NoiseMultiplier, long Steps)
{
    /// <summary>What is wrong with the numbers; <see langword="null"/> when nothing is.</summary>
    public string? Problem() =>
        !(SamplingRate is >= 0 and <= 1) ? $"the sampling rate is {SamplingRate}; it must be from 0 to 1"
        : !(NoiseMultiplier >= 0) || double.IsInfinity(NoiseMultiplier)
            ? $"the noise multiplier is {NoiseMultiplier}; it must be a finite number of at least 0"
        : Steps < 0 ? $"the steps are {Steps}; there can't be fewer than 0"
        : null;

    /// <exception cref="ArgumentOutOfRangeException">A number is impossible.</exception>
    internal SampledGaussian Checked() =>
        Problem() is { } problem ? throw new ArgumentOutOfRangeException(nameof(SampledGaussian), problem) : this;
}

namespace FedSeg.Privacy.Noise;

/// <summary>
/// A clipping norm that follows a quantile of the contributions' norms without looking at any of them (Andrew et al. 2021, "Differentially
/// private learning with adaptive clipping"): C ← C e^(−η (b̃ − γ)), where b̃ is the noised share of contributions that needed no clipping.
/// </summary>
/// <param name="TargetQuantile">γ; 0.5 is the median.</param>
/// <param name="Rate">η; 0.2.</param>
public sealed record AdaptiveClipping(double TargetQuantile = 0.5, double Rate = 0.2)
{
    /// <summary>The first norm, of the paper.</summary>
    public const double InitialBound = 0.1;

    /// <summary>Noise on the count of unclipped contributions, of the paper: a twentieth of their expected number.</summary>
    public static double CountDeviation(double expectedContributions) => expectedContributions / 20;

    /// <summary>
    /// The multiplier that the contributions themselves get, so that they and the count together cost what <paramref
    /// name="noiseMultiplier"/> alone would: (z⁻² − (2σ_b)⁻²)^(−½).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// z is 2σ_b or more: the count alone would spend the budget. It takes more contributions.
    /// </exception>
    public static double ContributionMultiplier(double noiseMultiplier, double countDeviation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(noiseMultiplier);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(noiseMultiplier, 2 * countDeviation);
        return 1 / Math.Sqrt(1 / (noiseMultiplier * noiseMultiplier) - 1 / (4 * countDeviation * countDeviation));
    }

    /// <summary>The next norm.</summary>
    /// <param name="bound">The present one.</param>
    /// <param name="noisedShare">b̃; cut to 0 to 1.</param>
    public double Next(double bound, double noisedShare) => bound * Math.Exp(-Rate * (Math.Clamp(noisedShare, 0, 1) - TargetQuantile));

    /// <summary>b̃ = ½ + (Σ (bᵢ − ½) + σ_b · normal) / m, from the contributions' norms and one standard normal number.</summary>
    public static double NoisedShare(
        IEnumerable<double> norms, double bound, double expectedContributions, double countDeviation, double normal) =>
        Math.Clamp(0.5 + (norms.Sum(norm => norm <= bound ? 0.5 : -0.5) + countDeviation * normal) / expectedContributions, 0, 1);
}

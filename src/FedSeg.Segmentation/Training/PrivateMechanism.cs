using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Privacy.Accounting;

namespace FedSeg.Segmentation.Training;

/// <summary>The sampled Gaussian mechanism of one site in one run, and what it costs.</summary>
/// <param name="SamplingRate">q.</param>
/// <param name="NoiseMultiplier">σ.</param>
internal sealed record PrivateMechanism(double SamplingRate, double NoiseMultiplier)
{
    /// <summary>
    /// The mechanism of a recipe at a site: q from its number of patients, σ as given or as the run's ε asks for over all its steps. The number of patients counts as
    /// public, as everywhere in this accounting.
    /// </summary>
    /// <exception cref="InvalidOperationException">No noise is enough for the ε asked for.</exception>
    public static PrivateMechanism Of(RoundPlan plan, PatientPrivacy privacy, int patients, int stepsPerRound)
    {
        var rate = Math.Min(1, privacy.ExpectedBatch / patients);
        var noise = privacy.NoiseMultiplier
            ?? NoiseCalibration.ForPatients(privacy.Epsilon!.Value, privacy.Delta, rate, (long)plan.TotalRounds * stepsPerRound)
            ?? throw new InvalidOperationException($"No noise is enough for ε {privacy.Epsilon} at δ {privacy.Delta} over this run; ask for fewer steps or a smaller batch.");
        return new PrivateMechanism(rate, noise);
    }

    /// <summary>What steps of it cost.</summary>
    public PrivacySpent Spend(int steps, double delta)
    {
        var epsilon = PatientEpsilon.Of([new SampledGaussian(SamplingRate, NoiseMultiplier, steps)], delta);
        return new PrivacySpent(SamplingRate, NoiseMultiplier, steps, delta, epsilon);
    }
}

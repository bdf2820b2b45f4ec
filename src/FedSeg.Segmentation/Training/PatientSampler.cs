using System.Collections.Immutable;
using System.Security.Cryptography;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Draws the patients of each step: every one by a coin of its own (Poisson sampling), so a step may hold many, or none. Who takes part must be a secret, or the
/// accounting does not hold; the coins are therefore the system's, not the plan's seed. A patient's studies are drawn from together.
/// </summary>
/// <param name="cases">The training cases.</param>
/// <param name="samplingRate">Chance of each patient, 0 to 1.</param>
internal sealed class PatientSampler(IReadOnlyList<PreparedCase> cases, double samplingRate)
{
    private const double Uniform53 = 1.0 / (1L << 53);

    private readonly ImmutableArray<ImmutableArray<PreparedCase>> _patients =
        [.. cases.GroupBy(entry => entry.PatientKey).Select(patient => patient.ToImmutableArray())];

    /// <summary>Patients to draw from.</summary>
    public int Patients => _patients.Length;

    /// <summary>The cases of each patient of one step.</summary>
    public IReadOnlyList<ImmutableArray<PreparedCase>> Draw() => [.. _patients.Where(_ => Coin() < samplingRate)];

    /// <summary>Uniform from 0 to below 1.</summary>
    private static double Coin() => (BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) >> 11) * Uniform53;
}

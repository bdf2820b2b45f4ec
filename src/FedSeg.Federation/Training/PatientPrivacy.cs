using System.Text.Json.Serialization;

namespace FedSeg.Federation.Training;

/// <summary>
/// Differentially private training whose unit is the patient: in every step each patient takes part by a coin of its own, the gradients of a patient's patches are
/// averaged, clipped once and noised once (Abadi et al. 2016, algorithm 1, with the patient as the example). Either the noise is given, or the ε that a whole run may
/// cost, from which every site finds its own noise.
/// </summary>
public sealed record PatientPrivacy
{
    /// <summary>C: the largest L2 norm of one patient's gradient over all trained tensors together.</summary>
    public required double ClippingNorm { get; init; }

    /// <summary>Patients a step is expected to hold; each takes part with probability q = this over the site's patients, at most 1.</summary>
    public required double ExpectedBatch { get; init; }

    /// <summary>Patches whose gradients are averaged for a patient.</summary>
    public required int PatchesPerPatient { get; init; }

    /// <summary>δ of every ε said about this run; well below 1 / patients.</summary>
    public required double Delta { get; init; }

    /// <summary>σ: standard deviation of the noise over <see cref="ClippingNorm"/>; absent where <see cref="Epsilon"/> is given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? NoiseMultiplier { get; init; }

    /// <summary>ε that all rounds of the run together may cost a patient; absent where <see cref="NoiseMultiplier"/> is given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Epsilon { get; init; }

    /// <summary>What is wrong with the numbers; <see langword="null"/> when nothing is.</summary>
    public string? Problem() =>
        !(ClippingNorm is > 0 and <= 1e6) ? $"the clipping norm is {ClippingNorm}; it must be above 0 and at most 1e6"
        : !(ExpectedBatch is >= 0.1 and <= 10_000) ? $"the expected batch is {ExpectedBatch} patients; it must be from 0.1 to 10000"
        : PatchesPerPatient is < 1 or > 64 ? $"the patches of a patient are {PatchesPerPatient}; they must be from 1 to 64"
        : !(Delta is >= 1e-10 and <= 0.01) ? $"δ is {Delta}; it must be from 1e-10 to 0.01"
        : NoiseMultiplier is null == Epsilon is null ? "either the noise multiplier or ε must be given, and not both"
        : NoiseMultiplier is { } noise && !(noise is >= 0.1 and <= 1000) ? $"the noise multiplier is {noise}; it must be from 0.1 to 1000"
        : Epsilon is { } epsilon && !(epsilon is >= 0.01 and <= 100) ? $"ε is {epsilon}; it must be from 0.01 to 100"
        : null;
}

/// <summary>What one round of differentially private training did to a site's patients, as it was really done.</summary>
/// <param name="SamplingRate">q, the chance of each patient to take part in a step.</param>
/// <param name="NoiseMultiplier">σ over the clipping norm.</param>
/// <param name="Steps">Noised steps of this round; those that drew no patient count too.</param>
/// <param name="Delta">δ.</param>
/// <param name="Epsilon">ε of this round alone at δ, Rényi accounting. Rounds don't add up in ε: whoever keeps a budget composes the mechanisms.</param>
public sealed record PrivacySpent(double SamplingRate, double NoiseMultiplier, int Steps, double Delta, double Epsilon);

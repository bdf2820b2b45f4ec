using FedSeg.Federation.Training;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// What the trainer hands to the egress gate: what it says, and where the change of the weights lies. Nothing in it has been checked yet, and nothing in it may leave.
/// </summary>
/// <param name="Report">The trainer's numbers.</param>
/// <param name="WeightsPath">
/// A safetensors file with, for every tensor of the plan's manifest, the trained minus the base weights (float32), with error feedback plus
/// what earlier rounds held back;
/// <see langword="null"/> for an evaluation.
/// </param>
/// <param name="BaseModelPath">The base model's file, to compare the change with; <see langword="null"/> where it is not at hand.</param>
public sealed record ModelUpdate(SiteReport Report, string? WeightsPath, string? BaseModelPath = null)
{
    /// <summary>What making it cost every patient, as the trainer did it; absent without differential privacy. It stays at the site.</summary>
    public PrivacySpent? Privacy { get; init; }

    /// <summary>Where the gate leaves what the encoding loses of it; needed with error feedback. It stays at the site.</summary>
    public string? ResidualPath { get; init; }

    /// <summary>How much it looks like an image, as the trainer measured it on this very file. It stays at the site.</summary>
    public ImageSimilarity? Similarity { get; init; }
}

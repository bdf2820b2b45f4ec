using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Egress.Budget;
using FedSeg.Egress.Policy;
using FedSeg.Federation;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.Egress.Review;

/// <summary>
/// What a person needs to decide about an update, measured while it was sealed. It lies beside the sealed bytes, which alone are approved and sent; the ledger has the same
/// results of the rules.
/// </summary>
public sealed record ReviewSummary
{
    public required RoundPlan Plan { get; init; }

    /// <summary>The version of the program that sealed it.</summary>
    public required string SealedBy { get; init; }

    /// <summary>Patients trained on or counted, for an evaluation those tried on; <see langword="null"/> where the trainer left no record.</summary>
    public int? Patients { get; init; }

    /// <summary>The site's k: a smaller number of patients is not shown.</summary>
    public required int MinimumReportedCount { get; init; }

    /// <summary>The trainer's numbers before the gate rounded them or left them out; without the fingerprint. It stays at the site.</summary>
    public required SiteReport Measured { get; init; }

    /// <summary>Every rule with what was measured.</summary>
    public required ImmutableArray<RuleResult> Rules { get; init; }

    /// <summary>One line per tensor, in file order; empty for an evaluation.</summary>
    public required ImmutableArray<TensorMeasures> Tensors { get; init; }

    /// <summary>L2 norm over all weight changes; 0 for an evaluation.</summary>
    public required double Norm { get; init; }

    /// <summary>Norms of the run's last approved updates, oldest first.</summary>
    public required ImmutableArray<double> EarlierNorms { get; init; }

    /// <summary>What the training cost every patient; <see langword="null"/> without differential privacy.</summary>
    public PrivacySpent? Privacy { get; init; }

    /// <summary>The budgets when the update was sealed, the cohort's and then the study's; empty where neither policy nor charter sets one.</summary>
    public ImmutableArray<BudgetReading> Budgets { get; init; } = [];

    /// <summary>The policy's bound on it.</summary>
    public required double MaximumNorm { get; init; }

    /// <summary>The policy's bound on the weights file, bytes.</summary>
    public required long MaximumUpdateBytes { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <exception cref="JsonException">Not a summary.</exception>
    public static ReviewSummary FromBytes(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<ReviewSummary>(bytes, FederationJson.Options) ?? throw new JsonException("The summary is null.");
}

/// <summary>What was measured of one tensor of an update, on exactly the values written; in a blind round the larger of those and the values before the grid.</summary>
/// <param name="Name">The architecture's name of it.</param>
/// <param name="Shape">Extent of each axis.</param>
/// <param name="Norm">L2 norm of the change.</param>
/// <param name="Ratio">That norm divided by the L2 norm of the base model's tensor; <see langword="null"/> where that is 0 or was not at hand.</param>
/// <param name="Largest">Largest magnitude of a single change.</param>
/// <param name="ZeroShare">Share of weights that did not change, 0 to 1.</param>
public sealed record TensorMeasures(string Name, ImmutableArray<int> Shape, double Norm, double? Ratio, double Largest, double ZeroShare)
{
    /// <summary>Blind rounds: share of weights, 0 to 1, whose change lay beyond the grid of the sum and was cut off at its end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double ClippedShare { get; init; }

    /// <summary>Norms of the same tensor in the run's last approved updates, oldest first.</summary>
    public ImmutableArray<double> Earlier { get; init; } = [];
}

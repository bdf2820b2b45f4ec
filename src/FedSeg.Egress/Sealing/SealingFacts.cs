using FedSeg.Egress.Budget;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Review;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.Egress.Sealing;

/// <summary>What was measured while an update was sealed; all that the rules look at. <see langword="null"/> numbers could not be measured.</summary>
internal sealed record SealingFacts
{
    public required RoundTask Task { get; init; }

    /// <summary>What is wrong with the trainer's report, in the gate's own words.</summary>
    public required string? ReportProblem { get; init; }

    /// <summary>How the weights differ from the declared tensors, in the gate's own words.</summary>
    public required string? TensorProblem { get; init; }

    /// <summary>Weights that are NaN or infinite.</summary>
    public required long? NonFiniteValues { get; init; }

    /// <summary>Weights, as written, that are not 0 and too small for float32 to hold all their digits.</summary>
    public long? SubnormalValues { get; init; }

    /// <summary>Numbers about how training went that the report tells: loss and scores.</summary>
    public int? Metrics { get; init; }

    /// <summary>Length of the weights file: as it will leave, or the trainer's where it could not be re-encoded. 0 where none leaves.</summary>
    public required long? WeightsBytes { get; init; }

    /// <summary>L2 norm over all weight changes; NaN when one of them is not finite.</summary>
    public required double? Norm { get; init; }

    /// <summary>What was measured tensor by tensor, in file order.</summary>
    public IReadOnlyList<TensorMeasures> Tensors { get; init; } = [];

    /// <summary>The fingerprint as it would leave; <see langword="null"/> where none was asked for.</summary>
    public SiteFingerprint? Fingerprint { get; init; }

    /// <summary>Largest |cosine| with an image, of exactly this update; <see langword="null"/> where the trainer did not say, or of another file.</summary>
    public double? ImageSimilarity { get; init; }

    /// <summary>What the training cost every patient; <see langword="null"/> without differential privacy.</summary>
    public PrivacySpent? Privacy { get; init; }

    /// <summary>The budgets that policy and charter set, in the policy's order; one whose record can't be read, or is not whole, is missing.</summary>
    public IReadOnlyList<BudgetReading> Budgets { get; init; } = [];

    /// <summary>Whether the site's kill switch is thrown.</summary>
    public bool Halted { get; init; }

    /// <summary>What the site's charters say. Nobody asked: no.</summary>
    public CharterVerdict Charter { get; init; } = new CharterVerdict.Outside("not asked");

    /// <summary>Patients who withdrew and had a part in it; <see langword="null"/> where that is not known.</summary>
    public int? WithdrawnPatients { get; init; }

    /// <summary>Norms of the run's last approved updates.</summary>
    public IReadOnlyCollection<double> EarlierNorms { get; init; } = [];

    /// <summary>Updates and bytes approved in the 24 hours before this one.</summary>
    public (int Updates, long Bytes) LastDay { get; init; }

    public required int TrainingCases { get; init; }

    public required int HeldBackCases { get; init; }
}

using System.Collections.Immutable;
using FedSeg.Egress.Charters;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Privacy.Budget;

namespace FedSeg.Egress.Policy;

/// <summary>The bounds a site sets for what may leave it. A job can't change them.</summary>
public sealed record EgressPolicy
{
    /// <summary>Largest weights file that may leave, bytes.</summary>
    public required long MaximumUpdateBytes { get; init; }

    /// <summary>Largest L2 norm of all weight changes of an update together, in the weights' own unit.</summary>
    public required double MaximumNorm { get; init; }

    /// <summary>Fewest cases an update must have been trained on.</summary>
    public int MinimumTrainingCases { get; init; } = 10;

    /// <summary>Fewest held-back cases behind a score that leaves; with fewer the score is left out.</summary>
    public int MinimumHeldBackCases { get; init; } = 5;

    /// <summary>The site's k: a number of refused studies from 1 to one below this is not told.</summary>
    public int MinimumReportedCount { get; init; } = 5;

    /// <summary>How finely weights may tell what they tell; what a trainer hid in the digits below becomes noise.</summary>
    public Requantisation Requantisation { get; init; } = Requantisation.Bits16;

    /// <summary>Most losses and scores that a report tells.</summary>
    public int MaximumMetrics { get; init; } = 50;

    /// <summary>Most robust standard deviations between an update's norm and those of the run's last ten; <see langword="null"/> when not bounded.</summary>
    public double? MaximumNormDeviation { get; init; }

    /// <summary>Largest L2 norm of a tensor's change over that of the base model's tensor; <see langword="null"/> when not bounded.</summary>
    public double? MaximumTensorRatio { get; init; }

    /// <summary>
    /// Largest |cosine| between the update and an image it was trained on; <see langword="null"/> when not bounded.
    /// </summary>
    public double? MaximumImageSimilarity { get; init; } = 0.5;

    /// <summary>Most updates approved in 24 hours; <see langword="null"/> when not bounded.</summary>
    public int? MaximumUpdatesPerDay { get; init; }

    /// <summary>Most bytes of weights approved in 24 hours; <see langword="null"/> when not bounded.</summary>
    public long? MaximumBytesPerDay { get; init; }

    /// <summary>When a person decides.</summary>
    public ReviewMode Review { get; init; }

    /// <summary>How long something waits for a person before it is refused.</summary>
    public TimeSpan ReviewTime { get; init; } = TimeSpan.FromHours(72);

    /// <summary>How long a person's word counts beyond the update it was about: for next rounds, and for a run's terms. Then people are asked again.</summary>
    public TimeSpan ApprovalTime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How many different people have to approve, 1 or 2.</summary>
    public int Approvals { get; init; } = 1;

    /// <summary>When another policy file counts.</summary>
    public PolicyChanges Changes { get; init; }

    /// <summary>Plans that are trained without asking a person; <see langword="null"/> when a person approves each run.</summary>
    public PlanBounds? PlansWithin { get; init; }

    /// <summary>What all runs together may tell about one patient of the cohort; <see langword="null"/> when it is not bounded.</summary>
    public PrivacyBudget? PrivacyBudget { get; init; }

    /// <summary>What the runs of a study alone may tell, by its charter; <see langword="null"/> where no charter bounds it. A policy file has none.</summary>
    public PrivacyBudget? StudyBudget { get; init; }

    /// <summary>Every budget that a release is charged to: the cohort's with all that ever left, the study's with its own.</summary>
    public ImmutableArray<PrivacyBudget> Budgets => [.. new[] { PrivacyBudget, StudyBudget }.OfType<PrivacyBudget>()];

    /// <summary>
    /// Fewest sites that must share keys in a blind round before this site masks its update; more than two thirds of the round's sites are
    /// in every sum.
    /// </summary>
    public int MinimumBlindSites { get; init; } = 5;

    /// <summary>Whether a run may train and leave here whose study has no charter at this site. A study that has one is held to it all the same.</summary>
    public bool RunsWithoutCharter { get; init; }

    /// <summary>SHA-256 of the policy file, as the ledger notes it.</summary>
    public required Sha256Digest Hash { get; init; }

    /// <summary>This policy with a job's bounds where they are tighter; where they are not, they count nothing.</summary>
    public EgressPolicy TightenedBy(EgressBounds? job) => job is null ? this : this with
    {
        MaximumNorm = Math.Min(MaximumNorm, job.MaximumNorm ?? MaximumNorm),
        MaximumTensorRatio = job.MaximumTensorRatio is { } ratio ? Math.Min(MaximumTensorRatio ?? ratio, ratio) : MaximumTensorRatio,
        MinimumTrainingCases = Math.Max(MinimumTrainingCases, job.MinimumTrainingCases ?? 1),
        MinimumHeldBackCases = Math.Max(MinimumHeldBackCases, job.MinimumHeldBackCases ?? 1),
    };

    /// <summary>This policy with what a study's charter asks for beyond it.</summary>
    public EgressPolicy TightenedBy(StudyCharter? charter) => charter is null ? this : this with
    {
        Approvals = charter.FourEyes ? 2 : Approvals,
        StudyBudget = charter.Privacy?.BudgetOf(charter.Study),
    };
}

using System.Collections.Immutable;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.Egress.Review;

/// <summary>
/// A sealed update that waits for a person: what the ledger says about it. It holds no bytes, and nothing takes it for something that may be sent.
/// </summary>
/// <param name="Update">Digest over every bit that would leave.</param>
/// <param name="Run">The run it answers.</param>
/// <param name="Round">The run's round.</param>
/// <param name="Task">Whether weights leave or scores only.</param>
/// <param name="Since">When it was put before the desk.</param>
/// <param name="Until">When it expires.</param>
/// <param name="Entry">Index of the ledger's entry about what every rule found.</param>
public sealed record WaitingUpdate(Sha256Digest Update, RunId Run, int Round, RoundTask Task, DateTimeOffset Since, DateTimeOffset Until, long Entry)
{
    /// <summary>What the training cost every patient, to be charged with the approval; <see langword="null"/> without differential privacy.</summary>
    public PrivacySpent? Privacy { get; init; }

    /// <summary>The charter that covered it when it was measured; <see langword="null"/> where none was needed.</summary>
    public Sha256Digest? Charter { get; init; }

    /// <summary>Who approved it so far, where it takes two.</summary>
    public ImmutableArray<Approver> ApprovedBy { get; init; } = [];

    /// <summary>For how many further rounds the people who approved it so far would let it stand.</summary>
    public int NextRounds { get; init; }
}

/// <summary>What a person let stand for a run's next rounds.</summary>
/// <param name="By">Whose word it is.</param>
/// <param name="RoundsLeft">Rounds that it still covers.</param>
/// <param name="Policy">The policy whose bounds were meant: with another one it counts no more.</param>
/// <param name="Until">When it ends, whatever is left of it.</param>
public sealed record StandingApproval(string By, int RoundsLeft, Sha256Digest Policy, DateTimeOffset Until);

/// <summary>The site's kill switch, as the ledger knows it.</summary>
/// <param name="By">Who threw it.</param>
/// <param name="At">When.</param>
/// <param name="LiftAskedBy">The first of the two people it takes to lift it; <see langword="null"/> while none has asked.</param>
public sealed record SiteHalt(string By, DateTimeOffset At, Approver? LiftAskedBy);

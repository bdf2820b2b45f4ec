using System.Collections.Immutable;
using FedSeg.Egress.Budget;
using FedSeg.Egress.Policy;

namespace FedSeg.Egress.Review;

/// <summary>Whether a sealed update may leave, and who said so.</summary>
public abstract record EgressDecision
{
    private EgressDecision() { }

    /// <summary>It may.</summary>
    /// <param name="By">Which authority: a standing one by name, or the accounts of people.</param>
    public sealed record Approved(string By) : EgressDecision
    {
        /// <summary>The order it follows; <see langword="null"/> where no person was asked.</summary>
        public string? Order { get; init; }

        /// <summary>Who those accounts are; <see langword="null"/> where no person was asked.</summary>
        public string? People { get; init; }

        /// <summary>For how many further rounds of the run it stands.</summary>
        public int NextRounds { get; init; }

        /// <summary>And until when.</summary>
        public DateTimeOffset? StandsUntil { get; init; }

        /// <summary>What the budgets came to by it; empty where nothing was charged.</summary>
        public ImmutableArray<BudgetReading> Budgets { get; init; } = [];

        /// <summary>Whether one round of an earlier standing approval was used up.</summary>
        public bool IsStanding { get; init; }
    }

    /// <summary>It may not, by the policy's rules.</summary>
    /// <param name="By">Which authority.</param>
    public sealed record Refused(string By) : EgressDecision
    {
        /// <summary>A person's reason; <see langword="null"/> where a rule failed.</summary>
        public RefusalReason? Reason { get; init; }

        /// <summary>The order it follows.</summary>
        public string? Order { get; init; }
    }

    /// <summary>A person has to say.</summary>
    /// <param name="Until">When silence becomes a refusal.</param>
    public sealed record Awaited(DateTimeOffset Until) : EgressDecision;
}

using System.Collections.Immutable;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Review;

/// <summary>A changed policy that waits for two people, as the ledger knows it.</summary>
/// <param name="Policy">Its hash.</param>
/// <param name="Since">When the agent found it.</param>
/// <param name="Until">When silence becomes a refusal.</param>
public sealed record WaitingPolicy(Sha256Digest Policy, DateTimeOffset Since, DateTimeOffset Until)
{
    /// <summary>Who agreed so far.</summary>
    public ImmutableArray<Approver> ApprovedBy { get; init; } = [];
}

/// <summary>The policy that holds because people agreed to it, or because it was the first to ask for two.</summary>
/// <param name="Policy">Its hash.</param>
/// <param name="ChangesTakeTwo">Whether another file counts only after two people agreed to it.</param>
/// <param name="By">Who agreed.</param>
/// <param name="At">When.</param>
public sealed record HeldPolicy(Sha256Digest Policy, bool ChangesTakeTwo, string By, DateTimeOffset At);

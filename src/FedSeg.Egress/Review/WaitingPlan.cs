using System.Collections.Immutable;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Review;

/// <summary>A run's terms that wait for a person, as the ledger knows them.</summary>
/// <param name="Terms">Their hash.</param>
/// <param name="Run">The run.</param>
/// <param name="Since">When they were put before the desk.</param>
/// <param name="Until">When silence becomes a refusal.</param>
/// <param name="Why">Where they leave the site's standing approval, if it has one.</param>
/// <param name="Signer">Who ordered them, as of the last time that they were handed out.</param>
public sealed record WaitingPlan(Sha256Digest Terms, RunId Run, DateTimeOffset Since, DateTimeOffset Until, string Why, PlanSigner Signer)
{
    /// <summary>Who approved them so far, where it takes two.</summary>
    public ImmutableArray<Approver> ApprovedBy { get; init; } = [];
}

/// <summary>What was decided about a run's terms.</summary>
/// <param name="Terms">Their hash.</param>
/// <param name="IsApproved">Whether the run may train here.</param>
/// <param name="By">Who said so: people, or the policy's standing approval.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why not.</param>
/// <param name="Policy">The policy whose standing approval it was; <see langword="null"/> where people decided.</param>
/// <param name="Signer">Who had ordered them by then.</param>
public sealed record PlanDecision(Sha256Digest Terms, bool IsApproved, string By, DateTimeOffset At, RefusalReason? Reason, Sha256Digest? Policy, PlanSigner Signer);

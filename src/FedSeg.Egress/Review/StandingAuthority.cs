using FedSeg.Egress.Policy;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Review;

/// <summary>Decides what can be decided without asking a person now: by the policy's mode, or by what a person said before.</summary>
internal static class StandingAuthority
{
    /// <summary>The mode's name, as the policy file writes it.</summary>
    public static string NameOf(ReviewMode mode) => mode switch
    {
        ReviewMode.AutoWithinBounds => "auto-within-bounds",
        ReviewMode.FirstRound => "first-round",
        _ => "every-round",
    };

    /// <summary>What holds for an update that was measured against every rule.</summary>
    public static EgressDecision Decide(PolicyReport report, EgressPolicy policy, ReviewBook book, RunId run, DateTimeOffset now)
    {
        var mode = NameOf(policy.Review);
        if (!report.Passed) return new EgressDecision.Refused(mode);
        // A paused site lets nothing go by itself; a person's word about one update still counts.
        if (!book.IsPaused)
        {
            if (policy.Review == ReviewMode.AutoWithinBounds) return new EgressDecision.Approved(mode);
            if (policy.Review == ReviewMode.FirstRound && now < book.LastApprovedByAPerson(run) + policy.ApprovalTime) return new EgressDecision.Approved(mode);
            if (book.StandingFor(run) is { RoundsLeft: > 0 } standing && standing.Policy == policy.Hash && now < standing.Until)
            {
                return new EgressDecision.Approved($"standing approval of {standing.By}") { IsStanding = true };
            }
        }

        return new EgressDecision.Awaited(now + policy.ReviewTime);
    }
}

using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Plans;

/// <summary>What the site says to a plan.</summary>
public abstract record PlanOutcome
{
    private PlanOutcome() { }

    /// <summary>It may be trained.</summary>
    public sealed record Approved(ApprovedPlan Plan) : PlanOutcome;

    /// <summary>A person has to say.</summary>
    public sealed record Waiting(Sha256Digest Terms, DateTimeOffset Until) : PlanOutcome;

    /// <summary>It may not: a person said so, nobody said anything in time, or there is no valid policy.</summary>
    public sealed record Refused(RefusalReason Reason) : PlanOutcome;

    /// <summary>It may not: no charter that this hospital accepted covers it. Asked again in its next round.</summary>
    public sealed record OutsideCharter(string Problem) : PlanOutcome;

    /// <summary>It may not: this site answered the round before, or its answer could be subtracted from an earlier one.</summary>
    public sealed record Repeated(string Problem) : PlanOutcome;

    /// <summary>Nobody whose word counts has ordered it, or that was too long ago. It says nothing about the run: the coordinator hands it out signed anew.</summary>
    public sealed record Unproven(PlanFlaw Flaw) : PlanOutcome;
}

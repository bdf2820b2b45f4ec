using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Plans;

/// <summary>A plan whose approval by this site is durable in the ledger: the only thing the trainer's host takes. Only the gate makes one.</summary>
public sealed class ApprovedPlan
{
    internal ApprovedPlan(RoundPlan plan) => Plan = plan;

    public RoundPlan Plan { get; }
}

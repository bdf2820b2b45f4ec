using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Plans;

/// <summary>
/// What a run asks of a site in all its rounds: a round's plan without the number, the task and the model of that round. A person approves the terms once; whatever else
/// changes in a later plan changes their hash and asks again.
/// </summary>
public static class RunTerms
{
    /// <summary>
    /// The terms, written as a plan whose round-wise fields say nothing. A run asks for fingerprints once, in terms of their own: the network that is planned from them is
    /// other terms.
    /// </summary>
    public static RoundPlan Of(RoundPlan plan) => plan.Task == RoundTask.Fingerprint ? plan : plan with { Round = 1, Task = RoundTask.Train, BaseModel = Sha256Digest.Of([]), BaseModelBytes = 0, Control = null };

    /// <summary>SHA-256 of the terms' canonical bytes.</summary>
    public static Sha256Digest HashOf(RoundPlan plan) => Sha256Digest.Of(Of(plan).ToBytes());
}

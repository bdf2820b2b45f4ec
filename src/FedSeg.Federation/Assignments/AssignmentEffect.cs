using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Assignments;

/// <summary>What the site's agent has to do.</summary>
public abstract record AssignmentEffect
{
    private AssignmentEffect() { }

    /// <summary>A step of a round's work. One is under way at a time, and each ends with one <see cref="AssignmentInput"/>.</summary>
    public abstract record Work(RoundPlan Plan) : AssignmentEffect;

    /// <summary>
    /// Look for what became of the round before: an update that was approved and not sent, or none (<see cref="AssignmentInput.Recalled"/>), a person's review that is due
    /// or was refused.
    /// </summary>
    public sealed record Recall(RoundPlan Plan) : Work(Plan);

    /// <summary>Fetch and prove the base model: fetched or refused.</summary>
    public sealed record FetchModel(RoundPlan Plan) : Work(Plan);

    /// <summary>Let the trainer work, also on a fingerprint, for which there is no model: trained or failed.</summary>
    public sealed record Train(RoundPlan Plan) : Work(Plan);

    /// <summary>Hand the update to the egress gate: cleared, refused, or for a person to decide.</summary>
    public sealed record ClearUpdate(RoundPlan Plan, ModelUpdate Update) : Work(Plan);

    /// <summary>Send what the gate cleared, in a blind round through its exchange: delivered, changed, or the exchange ended.</summary>
    public sealed record SendUpdate(RoundPlan Plan, Sha256Digest Update) : Work(Plan);

    /// <summary>Note in the ledger what the coordinator answered, and forget the bytes.</summary>
    public sealed record RecordSent(RoundPlan Plan, Sha256Digest Update, bool Accepted) : Work(Plan);

    /// <summary>Note in the ledger that the bytes changed, and forget them.</summary>
    public sealed record RecordChanged(RoundPlan Plan, Sha256Digest Update) : Work(Plan);

    /// <summary>Hand the gate a notice that nothing will come, or without a reason that a person has to decide first: cleared or refused.</summary>
    public sealed record ClearNotice(RoundPlan Plan, DropReason? Reason) : Work(Plan);

    /// <summary>Note in the ledger that the blind exchange ended without the update, and forget the bytes.</summary>
    public sealed record RecordEnded(RoundPlan Plan, Sha256Digest Update, DropReason Reason) : Work(Plan);

    /// <summary>Send the notice the gate cleared.</summary>
    public sealed record SendNotice(RoundPlan Plan, DropReason? Reason) : Work(Plan);

    /// <summary>Note in the ledger that it was sent.</summary>
    public sealed record RecordNotice(RoundPlan Plan, DropReason? Reason) : Work(Plan);

    /// <summary>Have both ledgers cosigned, if the coordinator can be reached.</summary>
    public sealed record Cosign(RoundPlan Plan) : Work(Plan);

    /// <summary>Wait this long: <see cref="AssignmentInput.WaitOver"/>.</summary>
    public sealed record Wait(RoundPlan Plan, TimeSpan Time) : Work(Plan);

    /// <summary>Stop what is under way. It still ends with an input, <see cref="AssignmentInput.Stopped"/> or the one it was just about to give.</summary>
    /// <param name="Within">How long it may go on by itself.</param>
    public sealed record Stop(TimeSpan Within) : AssignmentEffect;

    /// <summary>End the run's trainer. The run goes on, so what the site keeps of it stays.</summary>
    public sealed record Drop(RunId Run) : AssignmentEffect;

    /// <summary>
    /// Attend at the coordinator anew: it hands out once on a connection what is not answered, and on the next one again, signed anew.
    /// </summary>
    /// <param name="Within">When.</param>
    public sealed record AttendAnew(TimeSpan Within) : AssignmentEffect;

    /// <summary>End the run's trainer and discard what is unsent, before anything else is begun; then <see cref="AssignmentInput.RunFreed"/>.</summary>
    public sealed record Free(RunId Run) : AssignmentEffect;
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Assignments;

/// <summary>What the site's agent learns: from the coordinator, or of the effect it carries out.</summary>
public abstract record AssignmentInput
{
    private AssignmentInput() { }

    /// <summary>The agent starts and finds approved updates that were not sent.</summary>
    /// <param name="Run">A run it therefore may still hold something of.</param>
    public sealed record Remembered(RunId Run) : AssignmentInput;

    /// <summary>The coordinator asks for a round; after every reconnect again, as long as it has no answer.</summary>
    /// <param name="Plan">The plan.</param>
    /// <param name="Approved">Whether this site does such work at all; a plan that is not approved is never trained.</param>
    public sealed record RoundAssigned(RoundPlan Plan, bool Approved) : AssignmentInput;

    /// <summary>The coordinator says that a run is over.</summary>
    public sealed record RunEnded(RunId Run) : AssignmentInput;

    /// <summary>Nothing of a run is held any more.</summary>
    public sealed record RunFreed(RunId Run) : AssignmentInput;

    /// <summary>What the ledger holds of the round.</summary>
    /// <param name="Update">The digest of an update that was approved and, as far as the ledger knows, not sent.</param>
    public sealed record Recalled(Sha256Digest? Update) : AssignmentInput;

    /// <summary>A person of the site has to decide before this goes on; the round is taken up again with <see cref="Reviewed"/>.</summary>
    public sealed record AwaitsReview : AssignmentInput;

    /// <summary>People of the site said no, or nothing in time, or let the site begin no round.</summary>
    public sealed record RefusedByPeople(DropReason Reason) : AssignmentInput;

    /// <summary>People have decided about what waited in a run.</summary>
    public sealed record Reviewed(RunId Run) : AssignmentInput;

    /// <summary>The plan has waited for longer than the coordinator's signature counts: the round is left, without an answer, until it comes again.</summary>
    public sealed record Lapsed : AssignmentInput;

    /// <summary>
    /// A plan came whose signature counts at another time only: one of the two clocks is wrong. It is not answered, because a clock is soon set right and a decline is final; it
    /// comes again, signed anew.
    /// </summary>
    public sealed record PlanUntimely : AssignmentInput;

    /// <summary>The site's kill switch was thrown: whatever is under way stops, nothing is remembered.</summary>
    public sealed record Halted : AssignmentInput;

    /// <summary>The base model is here and proven.</summary>
    public sealed record ModelFetched : AssignmentInput;

    /// <summary>The base model is not one to train.</summary>
    public sealed record ModelRefused : AssignmentInput;

    /// <summary>The trainer has delivered.</summary>
    public sealed record Trained(ModelUpdate Update) : AssignmentInput;

    /// <summary>The trainer has not delivered.</summary>
    public sealed record TrainingFailed(DropReason Reason) : AssignmentInput;

    /// <summary>The gate cleared the update: its approval is in the ledger and its bytes in the outbox, both on the disk.</summary>
    public sealed record UpdateCleared(Sha256Digest Update) : AssignmentInput;

    /// <summary>The gate refused it, which is in the ledger.</summary>
    public sealed record UpdateRefused : AssignmentInput;

    /// <summary>The gate cleared the notice, which is in the ledger.</summary>
    public sealed record NoticeCleared : AssignmentInput;

    /// <summary>Not even a notice may leave.</summary>
    public sealed record NoticeRefused : AssignmentInput;

    /// <summary>The coordinator has answered what was sent.</summary>
    /// <param name="Accepted">It holds the update durably and counts it, or took note.</param>
    public sealed record Delivered(bool Accepted) : AssignmentInput;

    /// <summary>The bytes in the outbox are not what was approved; nothing was sent.</summary>
    public sealed record PayloadChanged : AssignmentInput;

    /// <summary>The exchange of a blind round ended before the update could be masked; nothing of it was sent.</summary>
    public sealed record ExchangeEnded(DropReason Reason) : AssignmentInput;

    /// <summary>The ledger has the record.</summary>
    public sealed record Recorded : AssignmentInput;

    /// <summary>The exchange of cosignatures is over, with or without success.</summary>
    public sealed record Cosigned : AssignmentInput;

    /// <summary>The wait is over.</summary>
    public sealed record WaitOver : AssignmentInput;

    /// <summary>The connection could not be made or broke, or what came over it was damaged.</summary>
    public sealed record ConnectionLost : AssignmentInput;

    /// <summary>The disk refused.</summary>
    public sealed record StorageFailed : AssignmentInput;

    /// <summary>The step failed in a way that nobody foresaw. It is not tried again, so that one broken run keeps no other waiting.</summary>
    public sealed record Broke : AssignmentInput;

    /// <summary>What was under way stopped before its end.</summary>
    public sealed record Stopped : AssignmentInput;
}

using System.Collections.Immutable;
using System.Text.Json.Serialization;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress.Review;

/// <summary>
/// What a signed-in person wants of the desk. It has no effect by itself: the agent, which alone writes the ledger, holds it against what is true by then, notes it and
/// only then obeys.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "order")]
[JsonDerivedType(typeof(Approve), "approve")]
[JsonDerivedType(typeof(Refuse), "refuse")]
[JsonDerivedType(typeof(ApprovePlan), "approvePlan")]
[JsonDerivedType(typeof(RefusePlan), "refusePlan")]
[JsonDerivedType(typeof(ApprovePolicy), "approvePolicy")]
[JsonDerivedType(typeof(RefusePolicy), "refusePolicy")]
[JsonDerivedType(typeof(ImportCharter), "importCharter")]
[JsonDerivedType(typeof(AcceptCharter), "acceptCharter")]
[JsonDerivedType(typeof(DeclineCharter), "declineCharter")]
[JsonDerivedType(typeof(WithdrawPatient), "withdrawPatient")]
[JsonDerivedType(typeof(LeaveStudy), "leaveStudy")]
[JsonDerivedType(typeof(Pause), "pause")]
[JsonDerivedType(typeof(Resume), "resume")]
[JsonDerivedType(typeof(Halt), "halt")]
[JsonDerivedType(typeof(Lift), "lift")]
[JsonDerivedType(typeof(LocalSignIn), "localSignIn")]
public abstract record DeskOrder
{
    private DeskOrder() { }

    /// <summary>32 hexadecimal digits by chance: an order is obeyed once, however often it is read.</summary>
    public required string Id { get; init; }

    /// <summary>The account of who gave it.</summary>
    public required string By { get; init; }

    /// <summary>When it was given.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Let a waiting update leave.</summary>
    public sealed record Approve : DeskOrder
    {
        public required Sha256Digest Update { get; init; }

        /// <summary>And whatever passes every rule of the same policy in this many further rounds of its run.</summary>
        public int NextRounds { get; init; }
    }

    /// <summary>Let it not leave.</summary>
    public sealed record Refuse : DeskOrder
    {
        public required Sha256Digest Update { get; init; }

        public required RefusalReason Reason { get; init; }
    }

    /// <summary>Let a run train here, for as long as its terms stay the same.</summary>
    public sealed record ApprovePlan : DeskOrder
    {
        public required Sha256Digest Terms { get; init; }
    }

    /// <summary>Let it not.</summary>
    public sealed record RefusePlan : DeskOrder
    {
        public required Sha256Digest Terms { get; init; }

        public required RefusalReason Reason { get; init; }
    }

    /// <summary>Agree to a changed policy, as the first of two people or the second.</summary>
    public sealed record ApprovePolicy : DeskOrder
    {
        public required Sha256Digest Policy { get; init; }
    }

    /// <summary>Keep the policy as it is.</summary>
    public sealed record RefusePolicy : DeskOrder
    {
        public required Sha256Digest Policy { get; init; }
    }

    /// <summary>Put a signed charter before the desk; its file lies in the desk's folder already.</summary>
    public sealed record ImportCharter : DeskOrder
    {
        public required Sha256Digest Charter { get; init; }
    }

    /// <summary>Take part in a study under its charter, as the first of two people or the last.</summary>
    public sealed record AcceptCharter : DeskOrder
    {
        public required Sha256Digest Charter { get; init; }
    }

    /// <summary>Take no part under it, or no longer.</summary>
    public sealed record DeclineCharter : DeskOrder
    {
        public required Sha256Digest Charter { get; init; }

        public required RefusalReason Reason { get; init; }
    }

    /// <summary>Leave a patient out of every later round.</summary>
    public sealed record WithdrawPatient : DeskOrder
    {
        /// <summary>Their pseudonym under this site's key.</summary>
        public required Sha256Digest Patient { get; init; }
    }

    /// <summary>Take part in a study no longer, and wipe what this site kept of its runs.</summary>
    public sealed record LeaveStudy : DeskOrder
    {
        public required StudyId Study { get; init; }
    }

    /// <summary>Begin no further round, and let nothing leave by a standing authority.</summary>
    public sealed record Pause : DeskOrder;

    /// <summary>End a pause.</summary>
    public sealed record Resume : DeskOrder;

    /// <summary>The kill switch: stop training, hang up, drop what waits. Nothing leaves until two people lift it.</summary>
    public sealed record Halt : DeskOrder;

    /// <summary>Ask for the switch to be lifted, or, after another person asked, lift it.</summary>
    public sealed record Lift : DeskOrder;

    /// <summary>Changes nothing: says that an account of this site was used though the hospital has a sign-in of its own.</summary>
    public sealed record LocalSignIn : DeskOrder;
}

/// <summary>What became of an order.</summary>
public abstract record OrderOutcome
{
    private OrderOutcome() { }

    /// <summary>It is in the ledger and in force.</summary>
    /// <param name="What">In a few words.</param>
    public sealed record Obeyed(string What) : OrderOutcome
    {
        /// <summary>The runs that something waited in, and that may go on.</summary>
        public ImmutableArray<RunId> Answered { get; init; } = [];

        /// <summary>The runs that are over at this site; what was kept of them is to be wiped.</summary>
        public ImmutableArray<RunId> Left { get; init; } = [];
    }

    /// <summary>It can't be obeyed, and the ledger says so too.</summary>
    public sealed record Refused(string Why) : OrderOutcome;
}

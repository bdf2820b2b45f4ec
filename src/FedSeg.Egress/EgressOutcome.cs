using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;

namespace FedSeg.Egress;

/// <summary>What the gate says to an update.</summary>
public abstract record EgressOutcome
{
    private EgressOutcome() { }

    /// <summary>The update may be sent.</summary>
    public sealed record Cleared(ClearedUpdate Update, PolicyReport Report) : EgressOutcome;

    /// <summary>A person of the site has to decide first. There is nothing in it that could be sent.</summary>
    public sealed record Waiting(Sha256Digest Update, DateTimeOffset Until) : EgressOutcome;

    /// <summary>Nothing may leave; the report says which rules failed.</summary>
    public sealed record Refused(PolicyReport Report) : EgressOutcome;

    /// <summary>Nothing may leave: a person said so, or nobody said anything in time.</summary>
    public sealed record RefusedInReview(RefusalReason Reason) : EgressOutcome;
}

/// <summary>What the gate says to a notice.</summary>
public abstract record NoticeOutcome
{
    private NoticeOutcome() { }

    /// <summary>The notice may be sent.</summary>
    public sealed record Cleared(ClearedNotice Notice) : NoticeOutcome;

    /// <summary>There is no valid policy or the site is halted, so not even a notice may leave.</summary>
    public sealed record Refused(PolicyReport Report) : NoticeOutcome;
}

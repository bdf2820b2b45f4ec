using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Policy;

namespace FedSeg.Egress;

/// <summary>What the gate says to an update.</summary>
public abstract record EgressOutcome
{
    private EgressOutcome() { }

    /// <summary>The update may be sent.</summary>
    public sealed record Cleared(ClearedUpdate Update, PolicyReport Report) : EgressOutcome;

    /// <summary>Nothing may leave; the report says which rules failed.</summary>
    public sealed record Refused(PolicyReport Report) : EgressOutcome;
}

/// <summary>What the gate says to a notice.</summary>
public abstract record NoticeOutcome
{
    private NoticeOutcome() { }

    /// <summary>The notice may be sent.</summary>
    public sealed record Cleared(ClearedNotice Notice) : NoticeOutcome;

    /// <summary>There is no valid policy, so not even a notice may leave.</summary>
    public sealed record Refused(PolicyReport Report) : NoticeOutcome;
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Notices;

/// <summary>That a site delivers nothing in a round, and why: a code, never a text.</summary>
public sealed record OutcomeNotice(RunId Run, int Round, DropReason Reason);

/// <summary>A notice that is in the ledger and may be sent. Only the gate makes one.</summary>
public sealed class ClearedNotice
{
    internal ClearedNotice(OutcomeNotice notice) => Notice = notice;

    public OutcomeNotice Notice { get; }
}

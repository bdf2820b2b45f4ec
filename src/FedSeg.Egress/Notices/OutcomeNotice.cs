using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Notices;

/// <summary>What a site says about a round without delivering: a code, never a text.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">Its round.</param>
/// <param name="Reason">Why nothing will come; <see langword="null"/> while a person of the site still has to decide.</param>
public sealed record OutcomeNotice(RunId Run, int Round, DropReason? Reason);

/// <summary>A notice that is in the ledger and may be sent. Only the gate makes one.</summary>
public sealed class ClearedNotice
{
    internal ClearedNotice(OutcomeNotice notice) => Notice = notice;

    public OutcomeNotice Notice { get; }
}

using FedSeg.Federation.Identity;

namespace FedSeg.SecureAggregation;

/// <summary>Why a site ended a secure sum, or why the server could not finish it. A code for the ledger, never a text.</summary>
public enum AbortReason
{
    /// <summary>The bytes are not the message that was expected.</summary>
    MalformedMessage,

    /// <summary>A step was asked before the one that it follows.</summary>
    OutOfOrder,

    /// <summary>A step was asked a second time, with the same words.</summary>
    AskedTwice,

    /// <summary>The survivors were named a second time and differently: both kinds of a site's shares would have been given out.</summary>
    BothSharesAsked,

    /// <summary>A message belongs to another round.</summary>
    Replayed,

    /// <summary>Fewer sites than the threshold, or than this site insists on.</summary>
    TooFewSites,

    /// <summary>A site that the plan does not name.</summary>
    UnknownSite,

    /// <summary>A site whose certificate the authority did not sign for its name.</summary>
    CertificateRefused,

    /// <summary>A signature that is not the site's.</summary>
    SignatureRefused,

    /// <summary>The roster lacks this site, or holds another key for it.</summary>
    OwnKeyChanged,

    /// <summary>Two sites with the same key.</summary>
    KeyRepeated,

    /// <summary>Another site was given another base model.</summary>
    ModelsDiffer,

    /// <summary>Another site was given another plan.</summary>
    PlansDiffer,

    /// <summary>The message speaks of another roster than this site saw.</summary>
    RostersDiffer,

    /// <summary>Too few sites confirmed the same survivors: they were told different things.</summary>
    ViewsDiffer,

    /// <summary>A share could not be opened: it was changed on its way, or made for another roster.</summary>
    ShareRefused,

    /// <summary>A share is not what its dealer committed to.</summary>
    FalseShare,

    /// <summary>A survivor that never shared its keys, or survivors without this site.</summary>
    SurvivorsImpossible,
}

/// <summary>The end of a secure sum that could not be carried through.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Site">The site that the reason speaks of, where it speaks of one.</param>
public sealed record SumAbort(AbortReason Reason, SiteId? Site = null);

/// <summary>What a site's part of the protocol answers to a message.</summary>
public abstract record StepOutcome
{
    private StepOutcome() { }

    /// <summary>To be sent to the server.</summary>
    public sealed record Reply(byte[] Message) : StepOutcome;

    /// <summary>Nothing to send: the update may be masked now.</summary>
    public sealed record ReadyToMask : StepOutcome;

    /// <summary>The site takes no further part; its keys are gone.</summary>
    public sealed record Aborted(SumAbort Abort) : StepOutcome;
}

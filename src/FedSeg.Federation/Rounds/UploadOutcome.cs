namespace FedSeg.Federation.Rounds;

/// <summary>What became of an upload. A refusal is a value: the caller answers it, nobody catches it.</summary>
public enum UploadOutcome
{
    /// <summary>The update is durable and counts, now or already before.</summary>
    Accepted,

    /// <summary>There is no such run.</summary>
    UnknownRun,

    /// <summary>The run does not wait for this round, or not for this site.</summary>
    RoundNotOpen,

    /// <summary>The site has answered this round already, with something else.</summary>
    AlreadyAnswered,

    /// <summary>A masked update before the site's keys are shared, or after it was left out: it could not be unmasked.</summary>
    NotAwaited,

    /// <summary>The report is about another run.</summary>
    WrongRun,

    /// <summary>The report is about another round: the update comes too late, or is an old one again.</summary>
    WrongRound,

    /// <summary>The update starts at another model than the round's.</summary>
    WrongBase,

    /// <summary>The report is malformed, does not fit the round's plan, or contains impossible numbers.</summary>
    ReportRefused,

    /// <summary>The digest is not that of report and weights, or not signed by the site.</summary>
    SignatureRefused,

    /// <summary>The weights are longer than the plan's model or than the limit.</summary>
    TooLarge,

    /// <summary>The weights are not exactly the tensors the plan declares.</summary>
    TensorsRefused,

    /// <summary>A weight is NaN or infinite.</summary>
    NotFinite,

    /// <summary>The bytes do not have the declared digest and were dropped; start again.</summary>
    BytesDamaged,

    /// <summary>The upload ended before all bytes had arrived; what came is kept, go on from there.</summary>
    Incomplete,

    /// <summary>The upload does not continue where the stored bytes end.</summary>
    WrongOffset,
}

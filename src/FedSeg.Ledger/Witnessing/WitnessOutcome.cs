using FedSeg.Ledger.Checkpoints;

namespace FedSeg.Ledger.Witnessing;

/// <summary>What a witness says to a checkpoint.</summary>
public abstract record WitnessOutcome
{
    private WitnessOutcome() { }

    /// <summary>It continues all that was cosigned before.</summary>
    public sealed record Cosigned(Cosignature Cosignature) : WitnessOutcome;

    /// <summary>
    /// The proof does not start where this witness stands, or the log has become shorter. <see cref="Last"/> is what it cosigned last: an honest owner proves from there,
    /// and learns from its own signature on it what its ledger once held.
    /// </summary>
    public sealed record SizeMismatch(SignedCheckpoint? Last) : WitnessOutcome;

    /// <summary>It can't be cosigned.</summary>
    public sealed record Refused(WitnessRefusal Reason) : WitnessOutcome;
}

/// <summary>Why a checkpoint can't be cosigned.</summary>
public enum WitnessRefusal
{
    /// <summary>What came as the log's key is no P-256 public key.</summary>
    KeyUnknown,

    /// <summary>The log came with another key before.</summary>
    KeyChanged,

    /// <summary>It is no checkpoint of that log signed by its key.</summary>
    NotSigned,

    /// <summary>The log no longer begins with what was cosigned before: it was rewritten.</summary>
    Inconsistent,
}

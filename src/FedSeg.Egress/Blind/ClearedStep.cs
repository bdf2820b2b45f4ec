using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation.Server;

namespace FedSeg.Egress.Blind;

/// <summary>
/// A message of a blind exchange that is in the ledger and may be sent: keys, encrypted shares or signatures, never weights. Only the gate
/// makes one.
/// </summary>
public sealed class ClearedStep
{
    internal ClearedStep(RunId run, int round, SumStage stage, byte[] message) =>
        (Run, Round, Stage, Message) = (run, round, stage, message);

    public RunId Run { get; }

    public int Round { get; }

    /// <summary>What the message is for.</summary>
    public SumStage Stage { get; }

    public ReadOnlyMemory<byte> Message { get; }
}

using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// The one digest that stands for an update: what the site's gate seals, its ledger notes, its key signs, and the coordinator counts once.
/// </summary>
public static class SealedDigest
{
    /// <summary>SHA-256 over the report's bytes followed by the 32 bytes of the weights' SHA-256 (nothing for an evaluation).</summary>
    public static Sha256Digest Of(ReadOnlySpan<byte> report, Sha256Digest? payload)
    {
        byte[] tail = payload is { } digest ? digest.ToBytes() : [];
        return Sha256Digest.Of([.. report, .. tail]);
    }
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Sealing;

/// <summary>
/// An update as it will leave, if it may: the report's bytes, the weights file the gate wrote itself, and one digest over both. Whoever approves the digest approves
/// every bit; it is also the update's idempotency key.
/// </summary>
public sealed class SealedUpdate
{
    internal SealedUpdate(SiteReport report, byte[] reportBytes, SealedPayload? payload)
    {
        Report = report;
        ReportBytes = reportBytes;
        Payload = payload;
        Digest = SealedDigest.Of(reportBytes, payload?.Sha256);
    }

    /// <summary>The sanitised report.</summary>
    public SiteReport Report { get; }

    /// <summary>The report's canonical JSON, exactly as it travels.</summary>
    public ReadOnlyMemory<byte> ReportBytes { get; }

    /// <summary>The weights; <see langword="null"/> for an evaluation.</summary>
    public SealedPayload? Payload { get; }

    /// <summary>The one digest over both, <see cref="SealedDigest"/>.</summary>
    public Sha256Digest Digest { get; }
}

/// <summary>The weights file of a sealed update.</summary>
/// <param name="Path">Where it lies in the outbox.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">The digest of its bytes.</param>
public sealed record SealedPayload(string Path, long Bytes, Sha256Digest Sha256)
{
    /// <summary>Name of weights that may be sent as they are.</summary>
    internal const string PlainName = "payload.safetensors";

    /// <summary>Name of weights that must not leave before they are masked.</summary>
    internal const string UnmaskedName = "payload.unmasked";

    /// <summary>Name of masked weights.</summary>
    internal const string MaskedName = "payload.masked";

    internal static IEnumerable<string> Names => [PlainName, UnmaskedName, MaskedName];

    /// <summary>Whether the weights are those of a blind round and must not leave as they are.</summary>
    public bool MustBeMasked => System.IO.Path.GetFileName(Path) == UnmaskedName;
}

using System.Security.Cryptography;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Outbox;

/// <summary>
/// An update whose approval is durable in the ledger: the only thing the coordinator's client accepts. Only the gate makes one.
/// </summary>
public sealed class ClearedUpdate
{
    private readonly SealedUpdate _sealed;

    internal ClearedUpdate(SealedUpdate sealedUpdate) => _sealed = sealedUpdate;

    public RunId Run => _sealed.Report.Run;

    public int Round => _sealed.Report.Round;

    public RoundTask Task => _sealed.Report.Task;

    /// <summary>The report's canonical JSON, exactly as it was approved.</summary>
    public ReadOnlyMemory<byte> ReportBytes => _sealed.ReportBytes;

    /// <summary>Length of the weights file; 0 for an evaluation.</summary>
    public long PayloadBytes => _sealed.Payload?.Bytes ?? 0;

    /// <summary>Digest of the weights file; <see langword="null"/> for an evaluation.</summary>
    public Sha256Digest? PayloadSha256 => _sealed.Payload?.Sha256;

    /// <summary>The update's idempotency key, and what the site signs.</summary>
    public Sha256Digest Digest => _sealed.Digest;

    /// <summary>Whether it belongs to a blind round and is not masked: approved, and yet not to be sent as it is.</summary>
    public bool MustBeMasked => _sealed.Payload?.MustBeMasked == true;

    /// <summary>
    /// Opens the weights for sending, at their beginning; seekable, so that an upload can be resumed. Every byte is compared with what was approved before the first one
    /// is handed out. An empty stream for an evaluation.
    /// </summary>
    /// <exception cref="PayloadChangedException">The file is not what was approved.</exception>
    /// <exception cref="InvalidOperationException">The weights must be masked first.</exception>
    public Stream OpenPayload() =>
        MustBeMasked ? throw new InvalidOperationException("The weights of a blind round leave masked or not at all.") : OpenApproved();

    /// <summary>The update as it was sealed.</summary>
    internal SealedUpdate Sealed => _sealed;

    /// <summary>The same for the gate itself, which masks them.</summary>
    internal Stream OpenApproved()
    {
        if (_sealed.Payload is not { } payload) return Stream.Null;

        FileStream stream;
        try
        {
            stream = new FileStream(payload.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PayloadChangedException(Digest);
        }

        try
        {
            if (stream.Length != payload.Bytes || Sha256Digest.FromHash(SHA256.HashData(stream)) != payload.Sha256) throw new PayloadChangedException(Digest);
            stream.Position = 0;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }
}

/// <summary>The weights in the outbox are not what was approved; they must not be sent.</summary>
public sealed class PayloadChangedException(Sha256Digest digest)
    : Exception($"The weights of update {digest.Abbreviated} in the outbox changed after they were approved and are not sent. Find out who writes to the agent's folder.");

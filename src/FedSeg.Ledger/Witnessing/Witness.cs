using System.Security.Cryptography;
using System.Text;
using FedSeg.Hosting.Storage;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Witnessing;

/// <summary>
/// Cosigns other parties' checkpoints, each only after a proof that it continues the last one this witness cosigned for that log. What it cosigned is on the disk before the
/// cosignature is given out, so a log that is rolled back or rewritten afterwards, by whoever holds its key, can be told from its past. A log's key is the one it came with
/// first. Source: C2SP tlog-witness, add-checkpoint.
/// </summary>
/// <param name="directory">The witness's own folder.</param>
/// <param name="name">Its name in cosignatures: the origin of its own log.</param>
/// <param name="key">The key of its own log. It stays the caller's.</param>
/// <param name="time">Dates the cosignatures.</param>
public sealed class Witness(string directory, string name, ECDsa key, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>The last checkpoint of a log that was cosigned here, with the cosignature; <see langword="null"/> when none was.</summary>
    public SignedCheckpoint? Last(string origin) => NoteFile.ReadLast(NotesPath(origin), cosigned: true).Note;

    /// <summary>Where every checkpoint of a log that was cosigned here is kept: what its owner's folder can be verified against.</summary>
    public string NotesPath(string origin) => Path.Combine(LogFolder(origin), "cosigned");

    /// <summary>The key a log came with first. The caller disposes it.</summary>
    /// <exception cref="FileNotFoundException">Nothing of that log was ever cosigned here.</exception>
    public ECDsa KeyOf(string origin)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(KeyPath(origin)));
        return key;
    }

    /// <summary>Cosigns a checkpoint, or says why not.</summary>
    /// <param name="origin">The log whose owner asks, as the caller knows it from elsewhere than the note.</param>
    /// <param name="publicKey">The log's key as its owner states it, SubjectPublicKeyInfo in DER.</param>
    /// <param name="note">The log's signed checkpoint.</param>
    /// <param name="oldSize">The size its owner believes was cosigned last; 0 for none.</param>
    /// <param name="proof">Consistency proof from there.</param>
    /// <exception cref="IOException">The disk refused; nothing was cosigned.</exception>
    public WitnessOutcome Cosign(string origin, ReadOnlySpan<byte> publicKey, string note, long oldSize, IReadOnlyList<MerkleHash> proof)
    {
        lock (_gate)
        {
            if (ReadKey(publicKey) is not { } logKey) return new WitnessOutcome.Refused(WitnessRefusal.KeyUnknown);
            using (logKey)
            {
                if (KnownKey(origin) is { } known && !known.AsSpan().SequenceEqual(LedgerFolder.Encode(logKey))) return new WitnessOutcome.Refused(WitnessRefusal.KeyChanged);
                if (SignedCheckpoint.Parse(note) is not { Cosignatures: [] } signed || signed.Checkpoint.Origin != origin || !signed.IsSignedBy(logKey))
                {
                    return new WitnessOutcome.Refused(WitnessRefusal.NotSigned);
                }

                return CosignSigned(signed, logKey, oldSize, proof);
            }
        }
    }

    private WitnessOutcome CosignSigned(SignedCheckpoint signed, ECDsa logKey, long oldSize, IReadOnlyList<MerkleHash> proof)
    {
        var (origin, size, root) = signed.Checkpoint;
        var (last, end) = NoteFile.ReadLast(NotesPath(origin), cosigned: true);
        var (_, lastSize, lastRoot) = last?.Checkpoint ?? new Checkpoint(origin, 0, MerkleHash.EmptyRoot);
        if (oldSize != lastSize || size < lastSize) return new WitnessOutcome.SizeMismatch(last);
        if (!MerkleProof.Extends(lastRoot, lastSize, root, size, proof)) return new WitnessOutcome.Refused(WitnessRefusal.Inconsistent);

        if (last is not null && last.Checkpoint == signed.Checkpoint) return new WitnessOutcome.Cosigned(last.Cosignatures[0]);

        DurableFile.CreateDirectory(LogFolder(origin));
        if (KnownKey(origin) is null) DurableFile.Write(KeyPath(origin), LedgerFolder.Encode(logKey));
        var cosigned = signed.With(Cosignature.Sign(signed.Checkpoint, name, key, time.GetUtcNow()));
        NoteFile.Append(NotesPath(origin), end, cosigned.Note);
        return new WitnessOutcome.Cosigned(cosigned.Cosignatures[0]);
    }

    private byte[]? KnownKey(string origin) => File.Exists(KeyPath(origin)) ? File.ReadAllBytes(KeyPath(origin)) : null;

    private static ECDsa? ReadKey(ReadOnlySpan<byte> publicKey)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            if (read == publicKey.Length && key.KeySize == 256) return key;
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            // No key, or one on a curve this machine does not know: the null below says so.
        }

        key.Dispose();
        return null;
    }

    // An origin may hold any printable character; its digest is a safe name.
    private string LogFolder(string origin) => Path.Combine(directory, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(origin)))[..32]);

    private string KeyPath(string origin) => Path.Combine(LogFolder(origin), "key.pem");
}

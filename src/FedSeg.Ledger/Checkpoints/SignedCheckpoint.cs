using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Ledger.Checkpoints;

/// <summary>
/// A checkpoint with the log's signature, as a C2SP signed note: the checkpoint's text, an empty line, and <c>— origin base64(key id ‖ signature)</c>; the lines of
/// witnesses that cosigned it may follow. The log's signature is ECDSA P-256 with SHA-256 (signed-note type 0x02) in DER; its key id is the first four bytes of the SHA-256
/// of the key's SubjectPublicKeyInfo.
/// </summary>
public sealed class SignedCheckpoint
{
    /// <summary>No note is longer: a text, the log's line and those of four witnesses.</summary>
    public const int MaxBytes = 2048;

    /// <summary>Lines of a checkpoint's text.</summary>
    internal const int TextLines = 3;

    private const int KeyIdBytes = 4;
    internal const string SignatureMark = "— ";
    private const int MaxWitnesses = 4;

    private readonly byte[] _signature;

    private SignedCheckpoint(Checkpoint checkpoint, byte[] keyId, byte[] signature, ImmutableArray<Cosignature> cosignatures)
    {
        Checkpoint = checkpoint;
        KeyId = Convert.ToHexStringLower(keyId);
        _signature = signature;
        Cosignatures = cosignatures;
        Note = $"{checkpoint.ToText()}\n{SignatureMark}{checkpoint.Origin} {Convert.ToBase64String([.. keyId, .. signature])}\n"
            + string.Concat(cosignatures.Select(cosignature => cosignature.ToLine()));
    }

    public Checkpoint Checkpoint { get; }

    /// <summary>Which key signed, 8 hexadecimal digits.</summary>
    public string KeyId { get; }

    /// <summary>The witnesses' signatures, unchecked.</summary>
    public ImmutableArray<Cosignature> Cosignatures { get; }

    /// <summary>The whole note as it stands on disk and can be handed to an auditor.</summary>
    public string Note { get; }

    /// <summary>Signs a checkpoint.</summary>
    public static SignedCheckpoint Sign(Checkpoint checkpoint, ECDsa key) => new(
        checkpoint,
        IdOf(key),
        key.SignData(Encoding.UTF8.GetBytes(checkpoint.ToText()), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
        []);

    /// <summary>The same note with one more witness's line.</summary>
    /// <exception cref="ArgumentException">It has as many as a note holds.</exception>
    public SignedCheckpoint With(Cosignature cosignature) => Cosignatures.Length < MaxWitnesses
        ? new SignedCheckpoint(Checkpoint, Convert.FromHexString(KeyId), _signature, Cosignatures.Add(cosignature))
        : throw new ArgumentException($"A note holds {MaxWitnesses} cosignatures.", nameof(cosignature));

    /// <summary>Reads one note; <see langword="null"/> for anything that this type would not have written. No signature is checked.</summary>
    public static SignedCheckpoint? Parse(string note)
    {
        if (note.Length > MaxBytes) return null;
        var separator = note.IndexOf("\n\n", StringComparison.Ordinal);
        if (separator < 0 || Checkpoint.FromText(note[..(separator + 1)]) is not { } checkpoint) return null;

        var lines = note[(separator + 2)..].TrimEnd('\n').Split('\n');
        var start = SignatureMark + checkpoint.Origin + " ";
        if (lines.Length > 1 + MaxWitnesses || !lines[0].StartsWith(start, StringComparison.Ordinal)) return null;

        var blob = new byte[MaxBytes];
        if (!Convert.TryFromBase64String(lines[0][start.Length..], blob, out var length) || length <= KeyIdBytes) return null;

        var cosignatures = lines[1..].Select(Cosignature.FromLine).ToImmutableArray();
        if (cosignatures.Contains(null)) return null;

        var signed = new SignedCheckpoint(checkpoint, blob[..KeyIdBytes], blob[KeyIdBytes..length], cosignatures!);
        return signed.Note == note ? signed : null;
    }

    /// <summary>Whether this key signed exactly this checkpoint.</summary>
    public bool IsSignedBy(ECDsa key) =>
        KeyId == Convert.ToHexStringLower(IdOf(key))
        && key.VerifyData(Encoding.UTF8.GetBytes(Checkpoint.ToText()), _signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>Length of the note that begins <paramref name="bytes"/>, or <see langword="null"/> when not even the log's line is there to its end.</summary>
    internal static int? NoteLength(ReadOnlySpan<byte> bytes)
    {
        var end = 0;
        for (var line = 0; line < TextLines + 2; line++)
        {
            if (LineLength(bytes[end..]) is not { } length) return null;
            end += length;
        }

        while (bytes[end..].StartsWith("— "u8) && LineLength(bytes[end..]) is { } length) end += length;
        return end;
    }

    private static int? LineLength(ReadOnlySpan<byte> bytes) => bytes.IndexOf((byte)'\n') is >= 0 and var newline ? newline + 1 : null;

    private static byte[] IdOf(ECDsa key) => SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..KeyIdBytes];
}

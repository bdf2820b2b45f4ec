using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Ledger.Checkpoints;

/// <summary>
/// A checkpoint with the log's signature, as a C2SP signed note: the checkpoint's text, an empty line, and <c>— origin base64(key id ‖ signature)</c>. The signature is
/// ECDSA P-256 with SHA-256 (signed-note type 0x02) in DER; the key id is the first four bytes of the SHA-256 of the key's SubjectPublicKeyInfo.
/// </summary>
public sealed class SignedCheckpoint
{
    /// <summary>No note is longer: origin twice, a size, a root and a signature.</summary>
    internal const int MaxBytes = 1024;

    private const int KeyIdBytes = 4;
    private const string SignatureMark = "— ";
    private const int NoteLines = 5;

    private readonly byte[] _signature;

    private SignedCheckpoint(Checkpoint checkpoint, byte[] keyId, byte[] signature)
    {
        Checkpoint = checkpoint;
        KeyId = Convert.ToHexStringLower(keyId);
        _signature = signature;
        Note = $"{checkpoint.ToText()}\n{SignatureMark}{checkpoint.Origin} {Convert.ToBase64String([.. keyId, .. signature])}\n";
    }

    public Checkpoint Checkpoint { get; }

    /// <summary>Which key signed, 8 hexadecimal digits.</summary>
    public string KeyId { get; }

    /// <summary>The whole note as it stands on disk and can be handed to an auditor.</summary>
    public string Note { get; }

    /// <summary>Signs a checkpoint.</summary>
    public static SignedCheckpoint Sign(Checkpoint checkpoint, ECDsa key) => new(
        checkpoint,
        IdOf(key),
        key.SignData(Encoding.UTF8.GetBytes(checkpoint.ToText()), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <summary>Reads one note; <see langword="null"/> for anything that <see cref="Sign"/> would not have written. The signature itself is checked by <see cref="IsSignedBy"/>.</summary>
    public static SignedCheckpoint? Parse(string note)
    {
        var separator = note.IndexOf("\n\n", StringComparison.Ordinal);
        if (separator < 0 || Checkpoint.FromText(note[..(separator + 1)]) is not { } checkpoint) return null;

        var line = note[(separator + 2)..];
        var start = SignatureMark + checkpoint.Origin + " ";
        if (!line.StartsWith(start, StringComparison.Ordinal)) return null;

        var blob = new byte[MaxBytes];
        if (!Convert.TryFromBase64String(line[start.Length..].TrimEnd('\n'), blob, out var length) || length <= KeyIdBytes) return null;

        var signed = new SignedCheckpoint(checkpoint, blob[..KeyIdBytes], blob[KeyIdBytes..length]);
        return signed.Note == note ? signed : null;
    }

    /// <summary>Whether this key signed exactly this checkpoint.</summary>
    public bool IsSignedBy(ECDsa key) =>
        KeyId == Convert.ToHexStringLower(IdOf(key))
        && key.VerifyData(Encoding.UTF8.GetBytes(Checkpoint.ToText()), _signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>Length of the note that begins <paramref name="bytes"/>, or <see langword="null"/> when it is not there to its end.</summary>
    internal static int? NoteLength(ReadOnlySpan<byte> bytes)
    {
        var end = 0;
        for (var line = 0; line < NoteLines; line++)
        {
            var newline = bytes[end..].IndexOf((byte)'\n');
            if (newline < 0) return null;
            end += newline + 1;
        }

        return end;
    }

    private static byte[] IdOf(ECDsa key) => SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..KeyIdBytes];
}

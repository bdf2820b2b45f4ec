using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FedSeg.Ledger.Checkpoints;

/// <summary>
/// A witness's word that a checkpoint continues every checkpoint of that log it ever cosigned. Source: C2SP tlog-cosignature v1: what is signed is
/// <c>cosignature/v1\ntime N\n</c> and the checkpoint's text. That document knows Ed25519 only; with ECDSA P-256 the line holds key id ‖ time (8 bytes, big-endian seconds) ‖
/// DER, and the key id follows signed-note's rule for a type without number: SHA-256(name ‖ 0x0A ‖ 0xFF ‖ type name ‖ SubjectPublicKeyInfo), first four bytes.
/// </summary>
/// <param name="Name">The witness: the origin of its own log.</param>
/// <param name="KeyId">Which of its keys, 8 hexadecimal digits.</param>
/// <param name="UnixSeconds">When, by the witness's clock.</param>
public sealed record Cosignature(string Name, string KeyId, long UnixSeconds)
{
    private const string TypeName = "fedseg/cosignature-ecdsa-p256/v1";
    private const int KeyIdBytes = 4;
    private const int HeadBytes = KeyIdBytes + sizeof(long);
    private const int MaxSignatureBytes = 72;

    private byte[] Signature { get; init; } = [];

    /// <summary>Cosigns a checkpoint. What makes that right to do is <see cref="Witnessing.Witness"/>'s business.</summary>
    internal static Cosignature Sign(Checkpoint checkpoint, string name, ECDsa key, DateTimeOffset time)
    {
        var seconds = time.ToUnixTimeSeconds();
        var signature = key.SignData(Message(checkpoint, seconds), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return new Cosignature(name, IdOf(name, key), seconds) { Signature = signature };
    }

    /// <summary>Whether this key cosigned exactly this checkpoint under this name.</summary>
    public bool IsSignedBy(ECDsa key, Checkpoint checkpoint) =>
        KeyId == IdOf(Name, key)
        && key.VerifyData(Message(checkpoint, UnixSeconds), Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>The signature line of a note.</summary>
    public string ToLine()
    {
        var blob = new byte[HeadBytes + Signature.Length];
        Convert.FromHexString(KeyId).CopyTo(blob, 0);
        BinaryPrimitives.WriteInt64BigEndian(blob.AsSpan(KeyIdBytes), UnixSeconds);
        Signature.CopyTo(blob, HeadBytes);
        return $"{SignedCheckpoint.SignatureMark}{Name} {Convert.ToBase64String(blob)}\n";
    }

    /// <summary>Reads a line, with or without its newline; <see langword="null"/> for anything that <see cref="ToLine"/> would not have written.</summary>
    public static Cosignature? FromLine(string line)
    {
        var parts = line.TrimEnd('\n').Split(' ');
        if (parts is not [var mark, var name, var base64] || mark + " " != SignedCheckpoint.SignatureMark || !Checkpoint.IsOrigin(name)) return null;
        var blob = new byte[HeadBytes + MaxSignatureBytes + 2];
        if (!Convert.TryFromBase64String(base64, blob, out var length) || length <= HeadBytes) return null;

        var seconds = BinaryPrimitives.ReadInt64BigEndian(blob.AsSpan(KeyIdBytes));
        var cosignature = new Cosignature(name, Convert.ToHexStringLower(blob[..KeyIdBytes]), seconds) { Signature = blob[HeadBytes..length] };
        return cosignature.ToLine() == line.TrimEnd('\n') + "\n" ? cosignature : null;
    }

    public bool Equals(Cosignature? other) => other is not null && ToLine() == other.ToLine();

    public override int GetHashCode() => ToLine().GetHashCode(StringComparison.Ordinal);

    private static byte[] Message(Checkpoint checkpoint, long seconds) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {seconds}\n{checkpoint.ToText()}"));

    private static string IdOf(string name, ECDsa key) => Convert.ToHexStringLower(
        SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', 0xff, .. Encoding.ASCII.GetBytes(TypeName), .. key.ExportSubjectPublicKeyInfo()])[..KeyIdBytes]);
}

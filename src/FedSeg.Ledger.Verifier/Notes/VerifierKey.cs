using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;

namespace FedSeg.Ledger.Verifier.Notes;

/// <summary>
/// A public key that signs notes: ECDSA P-256 as PEM, or what C2SP signed-note calls a verifier key, <c>name+hash+base64(type ‖ key)</c>, of type 1 (Ed25519), 2 (ECDSA) or
/// 4 (Ed25519 cosignature). The same ECDSA key also checks the ledger's own cosignatures, docs/ledger.md.
/// </summary>
public sealed class VerifierKey
{
    private const byte Ed25519Type = 1, EcdsaType = 2, Ed25519CosignatureType = 4, UnnumberedType = 0xff;
    private const string EcdsaCosignature = "fedseg/cosignature-ecdsa-p256/v1";

    private readonly byte _type;
    private readonly string? _name;
    private readonly byte[] _key;

    private VerifierKey(byte type, string? name, byte[] key) => (_type, _name, _key) = (type, name, key);

    /// <summary>Reads a PEM public key or a verifier key.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static VerifierKey Parse(string text) => text.TrimStart().StartsWith("-----BEGIN", StringComparison.Ordinal) ? FromPem(text) : FromVerifierKey(text.Trim());

    /// <summary>Whether both are the same key, whatever names they go by.</summary>
    internal bool IsSameAs(VerifierKey other) => _type == other._type && _key.AsSpan().SequenceEqual(other._key);

    /// <summary>Whether this key signed the note's text under this line.</summary>
    internal bool Signed(SignatureLine line, string text)
    {
        var message = Encoding.UTF8.GetBytes(text);
        if (_name is not null && _name != line.Name) return false;
        return _type switch
        {
            EcdsaType => line.KeyId.AsSpan().SequenceEqual(SHA256.HashData(_key).AsSpan(0, 4)) && VerifyEcdsa(message, line.Blob),
            Ed25519Type => HasId(line, [_type, .. _key]) && VerifyEd25519(message, line.Blob),
            _ => false,
        };
    }

    /// <summary>Whether this key cosigned the note's text under this line. Source: C2SP tlog-cosignature v1.</summary>
    internal bool Cosigned(SignatureLine line, string text)
    {
        if (line.Blob.Length <= sizeof(long) || (_name is not null && _name != line.Name)) return false;
        var (time, signature) = (BinaryPrimitives.ReadInt64BigEndian(line.Blob), line.Blob[sizeof(long)..]);
        var message = Encoding.UTF8.GetBytes($"cosignature/v1\ntime {time}\n{text}");
        return _type switch
        {
            EcdsaType => HasId(line, [UnnumberedType, .. Encoding.ASCII.GetBytes(EcdsaCosignature), .. _key]) && VerifyEcdsa(message, signature),
            Ed25519CosignatureType => HasId(line, [_type, .. _key]) && VerifyEd25519(message, signature),
            _ => false,
        };
    }

    private static bool HasId(SignatureLine line, ReadOnlySpan<byte> typeAndKey) =>
        line.KeyId.AsSpan().SequenceEqual(SHA256.HashData([.. Encoding.UTF8.GetBytes(line.Name), (byte)'\n', .. typeAndKey]).AsSpan(0, 4));

    private bool VerifyEcdsa(byte[] message, byte[] signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_key, out _);
        return key.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private bool VerifyEd25519(byte[] message, byte[] signature) =>
        PublicKey.TryImport(SignatureAlgorithm.Ed25519, _key, KeyBlobFormat.RawPublicKey, out var key)
        && SignatureAlgorithm.Ed25519.Verify(key!, message, signature);

    private static VerifierKey FromPem(string pem)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            if (key.KeySize == 256) return new VerifierKey(EcdsaType, null, key.ExportSubjectPublicKeyInfo());
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            // Not a key: the exception below says what is expected.
        }

        throw new FormatException("This is no P-256 public key in PEM.");
    }

    private static bool IsEcdsaP256(byte[] subjectPublicKeyInfo)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out var read);
            return key.KeySize == 256 && read == subjectPublicKeyInfo.Length;
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private static VerifierKey FromVerifierKey(string text)
    {
        const string expected = "A verifier key is name+hash+base64, as C2SP signed-note has it, of type 1, 2 or 4.";
        // Base64 may hold a plus sign itself.
        var parts = text.Split('+', 3);
        var bytes = new byte[text.Length];
        if (parts is not [{ Length: > 0 } name, { Length: 8 } id, var base64] || !Convert.TryFromBase64String(base64, bytes, out var length) || length < 2)
        {
            throw new FormatException(expected);
        }

        var (type, key) = (bytes[0], bytes[1..length]);
        var hash = SHA256.HashData(type == EcdsaType ? key : [.. Encoding.UTF8.GetBytes(name), (byte)'\n', type, .. key]);
        if (Convert.ToHexStringLower(hash[..4]) != id) throw new FormatException($"The verifier key of '{name}' has the hash of another key.");
        return type switch
        {
            EcdsaType when IsEcdsaP256(key) => new VerifierKey(type, name, key),
            Ed25519Type or Ed25519CosignatureType when key.Length == 32 => new VerifierKey(type, name, key),
            _ => throw new FormatException(expected),
        };
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Charters;

/// <summary>A charter with the signature of the federation's authority: ECDSA P-256 with SHA-256 over the charter's canonical bytes behind a line of their own.</summary>
public sealed record SignedCharter
{
    private const int MostBytes = 128 * 1024;

    private static readonly JsonSerializerOptions Strict = new(FederationJson.Options) { RespectNullableAnnotations = true };

    public required StudyCharter Charter { get; init; }

    /// <summary>DER.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The charter's hash. It does not depend on the signature, which is another one each time.</summary>
    [JsonIgnore]
    public Sha256Digest Hash => Charter.Hash;

    public static SignedCharter Sign(StudyCharter charter, ECDsa authority) => new()
    {
        Charter = charter,
        Signature = authority.SignData(Message(charter), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
    };

    /// <summary>Reads what <see cref="ToBytes"/> wrote. Nothing is believed of it before <see cref="IsSignedBy"/>.</summary>
    /// <returns><see langword="null"/> when it is anything else, or not in the canonical form: that would escape the hash.</returns>
    public static SignedCharter? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MostBytes) return null;
        try
        {
            var read = JsonSerializer.Deserialize<SignedCharter>(bytes, Strict);
            return read is { Charter: { Sites.IsDefault: false, Recipients.IsDefault: false } } && read.ToBytes().AsSpan().SequenceEqual(bytes) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Strict);

    /// <summary>Whether this key's owner signed exactly this charter.</summary>
    public bool IsSignedBy(ECDsa authority) =>
        authority.VerifyData(Message(Charter), Signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <summary>Nothing else that the authority signs begins with this line.</summary>
    private static byte[] Message(StudyCharter charter) => [.. "fedseg/charter/v1\n"u8, .. charter.ToBytes()];
}

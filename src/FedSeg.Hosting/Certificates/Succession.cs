using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Hosting.Storage;

namespace FedSeg.Hosting.Certificates;

/// <summary>
/// The announcement that one federation authority follows another, and until when both count. Signed by both: the former says whom to believe from now on, the successor
/// whom it followed. ECDSA P-256 with SHA-256, DER, over <see cref="Message"/>. It has no effect until somebody at a member's machine accepts it
/// (<see cref="FederationTrust.Accept"/>): no coordinator can.
/// </summary>
/// <param name="Former">The former authority's certificate, DER.</param>
/// <param name="Successor">The successor's, DER.</param>
/// <param name="Until">When the former one ends to count; whole seconds, UTC.</param>
/// <param name="Signature">The former's.</param>
/// <param name="SuccessorsSignature">The successor's.</param>
public sealed record Succession(byte[] Former, byte[] Successor, DateTimeOffset Until, byte[] Signature, byte[] SuccessorsSignature)
{
    private const int MostBytes = 32 * 1024;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <summary>Where the succession of an authority's certificate file lies: beside it, <c>authority.succession.json</c> for <c>authority.pem</c>.</summary>
    public static string PathBeside(string authorityPath) => Path.ChangeExtension(authorityPath, ".succession.json");

    /// <summary>Announces a successor.</summary>
    /// <param name="former">With its key.</param>
    /// <param name="successor">With its key.</param>
    /// <param name="until">When the former one ends to count.</param>
    public static Succession Announce(X509Certificate2 former, X509Certificate2 successor, DateTimeOffset until)
    {
        var seconds = DateTimeOffset.FromUnixTimeSeconds(until.ToUnixTimeSeconds());
        var message = Message(former, successor, seconds);
        return new Succession(former.RawData, successor.RawData, seconds, Sign(former), Sign(successor));

        byte[] Sign(X509Certificate2 signer)
        {
            using var key = signer.GetECDsaPrivateKey() ?? throw new InvalidOperationException($"The key of {signer.Subject} is not there.");
            return key.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
    }

    /// <summary>Reads a succession and checks that both authorities signed it.</summary>
    /// <exception cref="InvalidDataException">The file is missing, is no succession, or one of them did not sign exactly this.</exception>
    public static Succession Load(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes) throw new JsonException("It is too long.");
            var read = JsonSerializer.Deserialize<Succession>(File.ReadAllBytes(path), Json) ?? throw new JsonException("It is null.");
            using var former = X509CertificateLoader.LoadCertificate(read.Former);
            using var successor = X509CertificateLoader.LoadCertificate(read.Successor);
            var message = Message(former, successor, read.Until);
            return IsAuthority(successor) && IsSigned(message, read.Signature, former) && IsSigned(message, read.SuccessorsSignature, successor)
                ? read
                : throw new InvalidDataException($"'{path}' is not signed by the former authority and its successor; believe nothing of it.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InvalidDataException($"'{path}' is not an authority's succession: {error.Message}", error);
        }
    }

    /// <summary>Replaces the file in one step. On the disk when this returns.</summary>
    public void Save(string path) => DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, Json));

    /// <summary>Nothing else that an authority signs begins with this line.</summary>
    private static byte[] Message(X509Certificate2 former, X509Certificate2 successor, DateTimeOffset until) => Encoding.ASCII.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"fedseg/succession/v1\n{MutualTls.Thumbprint(former)}\n{MutualTls.Thumbprint(successor)}\n{until.ToUnixTimeSeconds()}\n"));

    private static bool IsSigned(byte[] message, byte[] signature, X509Certificate2 signer)
    {
        using var key = signer.GetECDsaPublicKey();
        return key is not null && key.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().SingleOrDefault() is { CertificateAuthority: true };
}

using System.Security.Cryptography;

namespace FedSeg.SecureAggregation.Keys;

/// <summary>
/// A P-256 key pair that lives for one round. A public key is X ‖ Y, big-endian, 64 bytes.
/// </summary>
internal sealed class AgreementKey : IDisposable
{
    public const int PublicBytes = 2 * CoordinateBytes, PrivateBytes = CoordinateBytes;
    private const int CoordinateBytes = 32;
    private readonly ECDiffieHellman _key;

    private AgreementKey(ECDiffieHellman key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        PublicKey = [.. point.X!, .. point.Y!];
    }

    public byte[] PublicKey { get; }

    public static AgreementKey Create() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>The pair of a private key; its public key is computed anew.</summary>
    /// <exception cref="CryptographicException">It is none.</exception>
    public static AgreementKey FromPrivate(byte[] privateKey)
    {
        var key = ECDiffieHellman.Create();
        try
        {
            key.ImportParameters(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = privateKey });
            return new AgreementKey(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>32 bytes; the caller clears them.</summary>
    public byte[] ExportPrivate() => _key.ExportParameters(includePrivateParameters: true).D!;

    /// <summary>The x coordinate both parties arrive at, 32 bytes; the caller clears it.</summary>
    /// <exception cref="CryptographicException">The other key is not a point of the curve.</exception>
    public byte[] Agree(ReadOnlySpan<byte> otherPublicKey)
    {
        using var other = Import(otherPublicKey);
        using var publicKey = other.PublicKey;
        return _key.DeriveRawSecretAgreement(publicKey);
    }

    /// <summary>Whether bytes are a point of the curve. One that is not would tell on the private key it is combined with.</summary>
    public static bool IsPublicKey(ReadOnlySpan<byte> publicKey)
    {
        try
        {
            using var key = Import(publicKey);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose() => _key.Dispose();

    private static ECDiffieHellman Import(ReadOnlySpan<byte> publicKey) => ECDiffieHellman.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = publicKey[..CoordinateBytes].ToArray(), Y = publicKey[CoordinateBytes..].ToArray() },
    });
}

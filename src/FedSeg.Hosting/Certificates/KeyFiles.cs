using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FedSeg.Hosting.Certificates;

/// <summary>Private keys and certificates as PEM files; a private key is readable by its owner only.</summary>
public static class KeyFiles
{
    /// <summary>Makes a P-256 key, writes it to <paramref name="keyPath"/> and returns a signed certificate request for it, PEM.</summary>
    public static string CreateRequest(string keyPath, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WritePrivateKey(keyPath, key);
        return new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    /// <summary>A request for the key that is in <paramref name="keyPath"/>; makes the key first where there is none.</summary>
    public static string RequestAgain(string keyPath, string name)
    {
        if (!File.Exists(keyPath)) return CreateRequest(keyPath, name);
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(keyPath));
        return new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    /// <summary>Reads a certificate request, not yet believed.</summary>
    /// <exception cref="InvalidDataException">It is none, or its own signature, which proves that the asker holds the private key, is not right.</exception>
    public static CertificateRequest ReadRequest(string requestPem)
    {
        try
        {
            return CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException("This is not a PEM certificate request with a valid signature; make one with 'fedseg provision request'.", error);
        }
    }

    /// <summary>SHA-256 of a public key's SubjectPublicKeyInfo, 64 lower-case hexadecimal digits: what two people compare.</summary>
    public static string Thumbprint(PublicKey key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    /// <summary>Loads a certificate with its private key, ready for TLS.</summary>
    /// <exception cref="InvalidDataException">A file is missing or is not what it should be; the message names it.</exception>
    public static X509Certificate2 LoadCertificate(string certificatePath, string keyPath)
    {
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
            if (!OperatingSystem.IsWindows()) return certificate;
            // Windows' TLS can't use a key that exists in memory only.
            using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidDataException($"Could not load the certificate '{certificatePath}' with the key '{keyPath}': {error.Message}", error);
        }
    }

    /// <summary>Loads a certificate without a key.</summary>
    /// <exception cref="InvalidDataException">The file is missing or no certificate.</exception>
    public static X509Certificate2 LoadAuthority(string path)
    {
        try
        {
            return X509CertificateLoader.LoadCertificateFromFile(path);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"Could not load the federation authority's certificate '{path}': {error.Message}", error);
        }
    }

    internal static void WritePrivateKey(string path, ECDsa key)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(key.ExportPkcs8PrivateKeyPem());
    }
}

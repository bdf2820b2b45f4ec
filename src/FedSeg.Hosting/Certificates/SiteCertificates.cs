using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FedSeg.Hosting.Certificates;

/// <summary>Reads a site's certificate that came another way than by TLS.</summary>
public static class SiteCertificates
{
    private const int MostBytes = 8192;
    private static readonly Asn1Tag UriName = new(TagClass.ContextSpecific, 6);

    /// <summary>The public key of a certificate that an authority signed for a site of this name.</summary>
    /// <param name="certificate">DER, not yet believed.</param>
    /// <param name="site">The name it must bear.</param>
    /// <param name="roots">The federation's authorities that count; not what is below them.</param>
    /// <returns>The caller's to dispose; <see langword="null"/> when the certificate is not to be trusted.</returns>
    public static ECDsa? FindKey(byte[] certificate, string site, IEnumerable<X509Certificate2> roots)
    {
        if (certificate.Length is 0 or > MostBytes) return null;
        try
        {
            using var parsed = X509CertificateLoader.LoadCertificate(certificate);
            return MutualTls.IsTrusted(parsed, roots, MutualTls.ClientAuthentication)
                && IsOf(parsed, site) ? parsed.GetECDsaPublicKey() : null;
        }
        catch (Exception error) when (error is CryptographicException or AsnContentException)
        {
            return null;
        }
    }

    /// <summary>The public key of a certificate that was found trustworthy before.</summary>
    /// <returns>The caller's to dispose; <see langword="null"/> when there is none.</returns>
    public static ECDsa? ReadKey(byte[] certificate)
    {
        try
        {
            using var parsed = X509CertificateLoader.LoadCertificate(certificate);
            return parsed.GetECDsaPublicKey();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The authority names a member in one URI, so a person of a site's name is none.</summary>
    private static bool IsOf(X509Certificate2 certificate, string site)
    {
        if (certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault() is not { } names) return false;
        var reader = new AsnReader(names.RawData, AsnEncodingRules.DER).ReadSequence();
        return reader.HasData
            && reader.PeekTag().HasSameClassAndValue(UriName)
            && reader.ReadCharacterString(UniversalTagNumber.IA5String, UriName) == $"urn:fedseg:site:{site}"
            && !reader.HasData;
    }
}

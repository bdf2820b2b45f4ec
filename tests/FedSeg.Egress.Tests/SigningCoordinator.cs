using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Egress.Tests;

/// <summary>Hands out plans for a test, signed with a coordinator's certificate, or whichever it is given.</summary>
internal sealed class SigningCoordinator(X509Certificate2 certificate) : IDisposable
{
    private readonly ECDsa _key = certificate.GetECDsaPrivateKey()!;

    public Sha256Digest Thumbprint { get; } = Sha256Digest.Parse(MutualTls.Thumbprint(certificate));

    public DateTimeOffset CertificateEnds => certificate.NotAfter;

    /// <summary>With a certificate that an authority signs for a coordinator at this address.</summary>
    public static SigningCoordinator Of(FederationAuthority authority, string host, TimeSpan? validity = null) =>
        Certified(request => authority.SignCoordinator(request, [host], validity ?? TimeSpan.FromDays(365)));

    /// <summary>With a certificate that comes of a request.</summary>
    public static SigningCoordinator Certified(Func<string, string> sign)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=coordinator", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        using var certificate = X509Certificate2.CreateFromPem(sign(request));
        return new SigningCoordinator(certificate.CopyWithPrivateKey(key));
    }

    public SignedPlan Sign(RoundPlan plan, string site, DateTimeOffset at, TimeSpan? life = null) =>
        SignedPlan.Sign(plan, SiteId.Parse(site), at, at + (life ?? TimeSpan.FromHours(2)), certificate.RawData, _key);

    public void Dispose()
    {
        _key.Dispose();
        certificate.Dispose();
    }
}

using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.SecureAggregation;

namespace FedSeg.SecureAggregation.Tests.Protocol;

/// <summary>Signs names and keys, as the federation's authority does with certificates: name, NUL, key in DER, signature.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const int SignatureBytes = 64;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public SiteCredential Enrol(SiteId site)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] body = [.. NameOf(site), .. key.ExportSubjectPublicKeyInfo()];
        return new SiteCredential([.. body, .. _key.SignData(body, HashAlgorithmName.SHA256)], key);
    }

    public ECDsa? Check(SiteId site, byte[] certificate)
    {
        var name = NameOf(site);
        if (certificate.Length < SignatureBytes || !certificate.AsSpan().StartsWith(name)) return null;
        var body = certificate.AsSpan(..^SignatureBytes);
        if (!_key.VerifyData(body, certificate.AsSpan(^SignatureBytes..), HashAlgorithmName.SHA256)) return null;
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(body[name.Length..], out _);
        return key;
    }

    public void Dispose() => _key.Dispose();

    private static byte[] NameOf(SiteId site) => [.. System.Text.Encoding.ASCII.GetBytes(site.ToString()), 0];
}

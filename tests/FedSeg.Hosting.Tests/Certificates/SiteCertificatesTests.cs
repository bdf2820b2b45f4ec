using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

/// <summary>Whom a certificate stands for that the coordinator handed on: it can't make one.</summary>
public sealed class SiteCertificatesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fedseg-sites-").FullName;
    private readonly FederationAuthority _authority, _another;
    private readonly X509Certificate2 _trusted;

    public SiteCertificatesTests()
    {
        _authority = FederationAuthority.Create(Path.Combine(_root, "authority"), "test", TimeProvider.System);
        _another = FederationAuthority.Create(Path.Combine(_root, "another"), "test", TimeProvider.System);
        _trusted = KeyFiles.LoadAuthority(_authority.CertificatePath);
    }

    public void Dispose()
    {
        _trusted.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void FindKey_OfASitesOwnCertificate_IsItsKey()
    {
        var (der, path) = Sign(_authority, "north", MemberKind.Site);

        using var key = SiteCertificates.FindKey(der, "north", [_trusted])!;

        using var own = KeyFiles.LoadCertificate(path + ".pem", path + ".key");
        using var privateKey = own.GetECDsaPrivateKey()!;
        Assert.True(key.VerifyHash(new byte[32], privateKey.SignHash(new byte[32])));
    }

    [Fact]
    public void FindKey_OfAnotherSitesCertificate_IsNone() =>
        Assert.Null(SiteCertificates.FindKey(Sign(_authority, "north", MemberKind.Site).Der, "east", [_trusted]));

    /// <summary>A person may be called like a site.</summary>
    [Fact]
    public void FindKey_OfAPersonOfThatName_IsNone() =>
        Assert.Null(SiteCertificates.FindKey(Sign(_authority, "north", MemberKind.Person).Der, "north", [_trusted]));

    [Fact]
    public void FindKey_OfAnotherAuthority_IsNone() =>
        Assert.Null(SiteCertificates.FindKey(Sign(_another, "north", MemberKind.Site).Der, "north", [_trusted]));

    [Fact]
    public void FindKey_OfTheAuthorityItself_IsNone() => Assert.Null(SiteCertificates.FindKey(_trusted.RawData, "north", [_trusted]));

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(100_000)]
    public void FindKey_OfNoCertificate_IsNone(int length) => Assert.Null(SiteCertificates.FindKey(new byte[length], "north", [_trusted]));

    [Fact]
    public void FindKey_OfChangedBytes_IsNone()
    {
        var der = Sign(_authority, "north", MemberKind.Site).Der;
        for (var at = 0; at < der.Length; at += 7)
        {
            byte[] changed = [.. der];
            changed[at] ^= 0x55;
            Assert.Null(SiteCertificates.FindKey(changed, "north", [_trusted]));
        }
    }

    private (byte[] Der, string Path) Sign(FederationAuthority authority, string name, MemberKind kind)
    {
        var path = Path.Combine(_root, Guid.NewGuid().ToString("N"));
        var pem = authority.SignMember(KeyFiles.CreateRequest(path + ".key", name), kind, name, PersonRole.None, TimeSpan.FromDays(1));
        File.WriteAllText(path + ".pem", pem);
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return (certificate.RawData, path);
    }
}

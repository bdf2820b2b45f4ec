using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

public sealed class MutualTlsTests
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    [Fact]
    public void IsTrusted_MemberOfTheAuthority_IsTrue()
    {
        using var authority = new AuthorityOnDisk();
        using var certificate = authority.SignMember("north");

        Assert.True(MutualTls.IsTrusted(certificate, [authority.Certificate], MutualTls.ClientAuthentication));
    }

    [Fact]
    public void IsTrusted_MemberOfAnotherAuthorityOfTheSameName_IsFalse()
    {
        using var authority = new AuthorityOnDisk();
        using var other = new AuthorityOnDisk();
        using var certificate = other.SignMember("north");

        Assert.Equal(authority.Certificate.Subject, other.Certificate.Subject);
        Assert.False(MutualTls.IsTrusted(certificate, [authority.Certificate], MutualTls.ClientAuthentication));
    }

    [Fact]
    public void IsTrusted_Expired_IsFalse()
    {
        using var authority = new AuthorityOnDisk(TimeProvider.System.GetUtcNow().AddDays(-10));
        using var expired = authority.SignMember("north", validity: TimeSpan.FromDays(9));
        using var valid = authority.SignMember("north", validity: TimeSpan.FromDays(11));

        Assert.False(MutualTls.IsTrusted(expired, [authority.Certificate], MutualTls.ClientAuthentication));
        Assert.True(MutualTls.IsTrusted(valid, [authority.Certificate], MutualTls.ClientAuthentication));
    }

    [Fact]
    public void IsTrusted_NotYetValid_IsFalse()
    {
        using var authority = new AuthorityOnDisk();
        authority.Time.Advance(TimeSpan.FromDays(2));
        using var certificate = authority.SignMember("north");

        Assert.False(MutualTls.IsTrusted(certificate, [authority.Certificate], MutualTls.ClientAuthentication));
    }

    [Fact]
    public void IsTrusted_ServerCertificateAsClient_IsFalse()
    {
        using var authority = new AuthorityOnDisk();
        var request = KeyFiles.CreateRequest(authority.Path("coordinator.key"), "coordinator");
        using var server = X509Certificate2.CreateFromPem(authority.Authority.SignCoordinator(request, ["localhost", "127.0.0.1"], TimeSpan.FromDays(1)));

        Assert.False(MutualTls.IsTrusted(server, [authority.Certificate], MutualTls.ClientAuthentication));
        Assert.True(MutualTls.IsTrusted(server, [authority.Certificate], ServerAuthentication));
    }

    [Fact]
    public void IsTrusted_CertificateTheMemberSignedItself_IsFalse()
    {
        using var authority = new AuthorityOnDisk();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=north, O=FedSeg", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));

        Assert.False(MutualTls.IsTrusted(certificate, [authority.Certificate], MutualTls.ClientAuthentication));
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

public sealed class IssuingAuthorityTests : IDisposable
{
    private readonly AuthorityOnDisk _root = new();
    private readonly FederationAuthority _issuing;
    private readonly X509Certificate2 _certificate;

    public IssuingAuthorityTests()
    {
        _issuing = _root.Authority.CreateIssuing(_root.Path("issuing"), TimeSpan.FromDays(365));
        _certificate = KeyFiles.LoadAuthority(_issuing.CertificatePath);
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void IsTrusted_SiteOfTheIssuingAuthority_IsTrueWhereThatIsKnown()
    {
        using var site = Sign("north");

        Assert.True(MutualTls.IsTrusted(site, [_root.Certificate], MutualTls.ClientAuthentication, [_certificate]));
        Assert.False(MutualTls.IsTrusted(site, [_root.Certificate], MutualTls.ClientAuthentication));
    }

    /// <summary>Whoever takes the coordinator's machine has the issuing key: what it signs must not pass for the coordinator elsewhere.</summary>
    [Fact]
    public void IsTrusted_ServerOfTheIssuingAuthority_IsFalse()
    {
        var request = KeyFiles.CreateRequest(_root.Path("server.key"), "coordinator");
        using var server = X509Certificate2.CreateFromPem(_issuing.SignCoordinator(request, ["localhost"], TimeSpan.FromDays(1)));

        Assert.False(MutualTls.IsTrusted(server, [_root.Certificate], new Oid("1.3.6.1.5.5.7.3.1"), [_certificate]));
    }

    /// <summary>Nor may the coordinator invent sites for a blind round.</summary>
    [Fact]
    public void FindKey_SiteOfTheIssuingAuthority_IsNone()
    {
        using var site = Sign("north");

        Assert.Null(SiteCertificates.FindKey(site.RawData, "north", [_root.Certificate]));
    }

    [Fact]
    public void CreateIssuing_BelowAnIssuingAuthority_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => _issuing.CreateIssuing(_root.Path("third"), TimeSpan.FromDays(1)));

    [Fact]
    public void CreateIssuing_FolderWithAnAuthority_IsNeverReplaced() =>
        Assert.Throws<InvalidOperationException>(() => _root.Authority.CreateIssuing(_root.Path("issuing"), TimeSpan.FromDays(1)));

    [Fact]
    public void SignMember_CertificatesThatEndedLongAgo_LeaveTheRegister()
    {
        using var old = Sign("north");
        _root.Time.Advance(TimeSpan.FromDays(40));
        using var current = Sign("north");

        Assert.Equal(MutualTls.Thumbprint(current), Assert.Single(FederationRegister.Load(_issuing.RegisterPath).Members).Thumbprint);
    }

    private X509Certificate2 Sign(string site)
    {
        var request = KeyFiles.CreateRequest(_root.Path(Guid.NewGuid() + ".key"), site);
        return X509Certificate2.CreateFromPem(_issuing.SignMember(request, MemberKind.Site, site, PersonRole.None, TimeSpan.FromDays(1)));
    }
}

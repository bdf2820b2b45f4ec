using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

public sealed class CertificateRenewalTests : IDisposable
{
    // What is renewed 20 days later is in its time now.
    private readonly AuthorityOnDisk _root = new(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(20));
    private readonly FederationAuthority _issuing;
    private readonly X509Certificate2 _current;

    public CertificateRenewalTests()
    {
        _issuing = _root.Authority.CreateIssuing(_root.Path("issuing"), TimeSpan.FromDays(100));
        _current = Sign(_issuing, MemberKind.Site, TimeSpan.FromDays(30));
    }

    public void Dispose()
    {
        _current.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Renew_AfterHalfOfItsLife_IsTheSameKeyAndNameForAsLongBesideTheOldOne()
    {
        _root.Time.Advance(TimeSpan.FromDays(20));

        var renewed = Assert.IsType<CertificateRenewal.Renewed>(_issuing.Renew(_current));

        using var certificate = X509Certificate2.CreateFromPem(renewed.Certificate);
        using var issuing = KeyFiles.LoadAuthority(_issuing.CertificatePath);
        Assert.Equal("north", renewed.Site);
        Assert.Equal(_current.PublicKey.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(_current.Subject, certificate.Subject);
        Assert.Equal(_current.NotAfter + TimeSpan.FromDays(20), certificate.NotAfter);
        Assert.True(MutualTls.IsTrusted(certificate, [_root.Certificate], MutualTls.ClientAuthentication, [issuing]));
        var register = FederationRegister.Load(_issuing.RegisterPath);
        Assert.NotNull(register.Find(MutualTls.Thumbprint(certificate)));
        Assert.NotNull(register.Find(MutualTls.Thumbprint(_current)));
    }

    /// <summary>Both sides count from the date in it, which lies five minutes before it was signed.</summary>
    [Fact]
    public void Renew_ShortLifeWhoseDatesSayThatTwoThirdsAreOver_IsNotTooEarly()
    {
        using var brief = Sign(_issuing, MemberKind.Site, TimeSpan.FromMinutes(2.5));
        _root.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.IsType<CertificateRenewal.Renewed>(_issuing.Renew(brief));
    }

    [Fact]
    public void Renew_BeforeHalfOfItsLife_IsTooEarly()
    {
        _root.Time.Advance(TimeSpan.FromDays(14));

        AssertRefused(RenewalRefusal.TooEarly);
    }

    [Fact]
    public void Renew_RevokedCertificate_IsRefused()
    {
        _root.Time.Advance(TimeSpan.FromDays(20));
        _issuing.Revoke(MemberKind.Site, "north");

        AssertRefused(RenewalRefusal.SignedElsewhere);
    }

    [Fact]
    public void Renew_CertificateThatHasEnded_IsRefused()
    {
        _root.Time.Advance(TimeSpan.FromDays(31));

        AssertRefused(RenewalRefusal.SignedElsewhere);
    }

    /// <summary>Else whoever holds the issuing key would turn what the authority signed off line into something that lives on line.</summary>
    [Fact]
    public void Renew_CertificateOfTheAuthorityAbove_IsRefused()
    {
        using var signedAbove = Sign(_root.Authority, MemberKind.Site, TimeSpan.FromDays(30));
        _root.Time.Advance(TimeSpan.FromDays(20));

        Assert.Equal(new CertificateRenewal.Refused(RenewalRefusal.SignedElsewhere), _issuing.Renew(signedAbove));
    }

    [Fact]
    public void Renew_AuthorityThatEndsFirst_IsRefusedUntilItHasASuccessor()
    {
        using var first = Sign(_issuing, MemberKind.Site, TimeSpan.FromDays(200));
        _root.Time.Advance(TimeSpan.FromDays(99.5));
        // It was cut to the authority's own end.
        Assert.Equal(new CertificateRenewal.Refused(RenewalRefusal.AuthorityEnds), _issuing.Renew(first));

        var successor = _root.Authority.CreateIssuing(_root.Path("successor"), TimeSpan.FromDays(100));
        var renewed = Assert.IsType<CertificateRenewal.Renewed>(successor.Renew(first, _root.Path("issuing")));

        Assert.NotNull(FederationRegister.Load(successor.RegisterPath).Find(MutualTls.ThumbprintOfPem(renewed.Certificate)));
    }

    [Fact]
    public void Renew_RevokedByAFormerAuthority_IsRefused()
    {
        var successor = _root.Authority.CreateIssuing(_root.Path("successor"), TimeSpan.FromDays(100));
        _root.Time.Advance(TimeSpan.FromDays(20));
        _issuing.Revoke(MemberKind.Site, "north");

        Assert.Equal(new CertificateRenewal.Refused(RenewalRefusal.SignedElsewhere), successor.Renew(_current, _root.Path("issuing")));
    }

    [Fact]
    public void Renew_AgainAndAgain_EndsBeforeItFillsTheRegister()
    {
        _root.Time.Advance(TimeSpan.FromDays(20));
        for (var i = 0; i < 5; i++) Assert.IsType<CertificateRenewal.Renewed>(_issuing.Renew(_current));

        AssertRefused(RenewalRefusal.TooOften);
    }

    private void AssertRefused(RenewalRefusal reason) => Assert.Equal(new CertificateRenewal.Refused(reason), _issuing.Renew(_current));

    private X509Certificate2 Sign(FederationAuthority authority, MemberKind kind, TimeSpan validity)
    {
        var request = KeyFiles.CreateRequest(_root.Path(Guid.NewGuid() + ".key"), "north");
        return X509Certificate2.CreateFromPem(authority.SignMember(request, kind, "north", PersonRole.None, validity));
    }
}

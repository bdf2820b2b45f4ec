using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

public sealed class FederationAuthorityTests : IDisposable
{
    private readonly AuthorityOnDisk _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void Create_FolderWithAnAuthority_IsNeverReplaced()
    {
        var before = File.ReadAllBytes(_authority.Authority.CertificatePath);

        Assert.Throws<InvalidOperationException>(() => FederationAuthority.Create(_authority.Directory, "again", _authority.Time));

        Assert.Equal(before, File.ReadAllBytes(_authority.Authority.CertificatePath));
    }

    [Fact]
    public void Create_NewFolder_HasAnAuthorityWithRoomForOneLevelBelowIt()
    {
        var constraints = Assert.Single(_authority.Certificate.Extensions.OfType<X509BasicConstraintsExtension>());

        Assert.True(constraints.CertificateAuthority);
        Assert.Equal(1, constraints.PathLengthConstraint);
        Assert.Empty(_authority.Register.Members);
    }

    [Fact]
    public void Open_FolderWithoutAuthority_SaysHowToMakeOne() =>
        Assert.Contains("fedseg provision init", Assert.Throws<FileNotFoundException>(() => FederationAuthority.Open(_authority.Path("nothing"), _authority.Time)).Message);

    [Fact]
    public void SignMember_Request_HasTheAuthoritysNameNotTheRequests()
    {
        var request = KeyFiles.CreateRequest(_authority.Path("site.key"), "someone-else");

        using var certificate = X509Certificate2.CreateFromPem(_authority.Authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(30)));

        Assert.Equal("CN=north, O=FedSeg", certificate.Subject);
        Assert.Equal("north", _authority.Register.Find(MutualTls.Thumbprint(certificate))!.Name);
    }

    [Fact]
    public void SignMember_LongValidity_EndsWithTheAuthority()
    {
        using var certificate = _authority.SignMember("north", validity: TimeSpan.FromDays(365 * 20));

        Assert.Equal(_authority.Certificate.NotAfter, certificate.NotAfter);
    }

    [Fact]
    public void SignMember_RequestWithBrokenSignature_IsRefusedAndNotEntered()
    {
        var request = KeyFiles.CreateRequest(_authority.Path("site.key"), "north");
        var der = Convert.FromBase64String(request.Split('\n')[1..^1].Aggregate("", (text, line) => line.StartsWith('-') ? text : text + line.Trim()));
        der[^1] ^= 1;
        var broken = PemEncoding.WriteString("CERTIFICATE REQUEST", der);

        Assert.Throws<InvalidDataException>(() => _authority.Authority.SignMember(broken, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)));
        Assert.Empty(_authority.Register.Members);
    }

    [Fact]
    public void SignMember_TextThatIsNoRequest_IsRefused() =>
        Assert.Throws<InvalidDataException>(() => _authority.Authority.SignMember("hello", MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)));

    [Fact]
    public void SignMember_SameRequestAgain_RenewsAndKeepsTheOldCertificateValid()
    {
        var request = KeyFiles.CreateRequest(_authority.Path("site.key"), "north");
        using var first = X509Certificate2.CreateFromPem(_authority.Authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(30)));
        using var second = X509Certificate2.CreateFromPem(_authority.Authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(60)));

        Assert.NotEqual(first.SerialNumber, second.SerialNumber);
        Assert.NotNull(_authority.Register.Find(MutualTls.Thumbprint(first)));
        Assert.NotNull(_authority.Register.Find(MutualTls.Thumbprint(second)));
    }

    [Fact]
    public void Revoke_Member_CallsBackEveryCertificateOfThatMemberOnly()
    {
        using var first = _authority.SignMember("north");
        using var second = _authority.SignMember("north");
        using var person = _authority.SignMember("north", MemberKind.Person, PersonRole.Auditor);

        _authority.Authority.Revoke(MemberKind.Site, "north");

        Assert.Null(_authority.Register.Find(MutualTls.Thumbprint(first)));
        Assert.Null(_authority.Register.Find(MutualTls.Thumbprint(second)));
        Assert.NotNull(_authority.Register.Find(MutualTls.Thumbprint(person)));
        Assert.False(_authority.Register.HasSite("north"));
    }
}

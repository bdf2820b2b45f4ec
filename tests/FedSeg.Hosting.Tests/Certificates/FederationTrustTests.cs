using System.Security.Cryptography.X509Certificates;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Hosting.Tests.Certificates;

/// <summary>Whom a member believes before, during and after one authority follows another.</summary>
public sealed class FederationTrustTests : IDisposable
{
    private static readonly TimeSpan Overlap = TimeSpan.FromDays(90);

    // A year ago, so that nothing here ends by the machine's clock.
    private readonly AuthorityOnDisk _old = new(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(365));
    private readonly FederationAuthority _new;
    private readonly Succession _succession;
    private readonly FederationTrust _trust;

    public FederationTrustTests()
    {
        _new = _old.Authority.CreateSuccessor(_old.Path("successor"), Overlap);
        _succession = Succession.Load(Succession.PathBeside(_new.CertificatePath));
        Directory.CreateDirectory(_old.Path("member"));
        File.Copy(_old.Authority.CertificatePath, MembersFile);
        _trust = new FederationTrust(MembersFile, _old.Time);
    }

    private string MembersFile => Path.Combine(_old.Path("member"), "authority.pem");

    private string OldThumbprint => MutualTls.Thumbprint(_old.Certificate);

    private string NewThumbprint => MutualTls.ThumbprintOfPem(File.ReadAllText(_new.CertificatePath));

    public void Dispose() => _old.Dispose();

    [Fact]
    public void Roots_NothingAccepted_IsTheOldOneAlone()
    {
        using var signedByNew = Sign(_new);

        Assert.Equal([OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
        Assert.False(IsTrusted(signedByNew));
    }

    [Fact]
    public void Roots_Accepted_AreBothUntilTheOverlapEndsAndThenTheNewOneAlone()
    {
        using var signedByOld = Sign(_old.Authority);
        using var signedByNew = Sign(_new);

        Assert.Null(_trust.Accept(_succession, NewThumbprint));

        Assert.Equal([NewThumbprint, OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
        Assert.Same(_trust.Roots, _trust.Roots);
        Assert.True(IsTrusted(signedByOld));
        Assert.True(IsTrusted(signedByNew));

        _old.Time.Advance(Overlap - TimeSpan.FromSeconds(2));
        Assert.True(IsTrusted(signedByOld));
        _old.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([NewThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
        Assert.False(IsTrusted(signedByOld));
        Assert.True(IsTrusted(signedByNew));
    }

    [Fact]
    public void Roots_OfAnIssuingAuthorityBelowTheOldOne_CountAsLongAsItDoes()
    {
        var issuing = _old.Authority.CreateIssuing(_old.Path("issuing"), TimeSpan.FromDays(3650));
        using var issuingCertificate = KeyFiles.LoadAuthority(issuing.CertificatePath);
        using var site = Sign(issuing);
        Assert.Null(_trust.Accept(_succession, NewThumbprint));

        Assert.True(IsTrusted(site, issuingCertificate));
        _old.Time.Advance(Overlap);
        Assert.False(IsTrusted(site, issuingCertificate));
    }

    [Fact]
    public void Accept_OneAfterTheOther_CountsWithoutTheFirst()
    {
        Assert.Null(_trust.Accept(_succession, NewThumbprint));
        _old.Time.Advance(Overlap + TimeSpan.FromDays(1));
        var third = _new.CreateSuccessor(_old.Path("third"), Overlap);

        Assert.Null(_trust.Accept(Succession.Load(Succession.PathBeside(third.CertificatePath)), MutualTls.ThumbprintOfPem(File.ReadAllText(third.CertificatePath))));

        Assert.Equal([MutualTls.ThumbprintOfPem(File.ReadAllText(third.CertificatePath)), NewThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    [Fact]
    public void Accept_AnotherThumbprintThanPeopleCompared_ChangesNothing()
    {
        Assert.Contains(NewThumbprint, _trust.Accept(_succession, OldThumbprint));
        Assert.Equal([OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    [Fact]
    public void Accept_AfterTheOverlap_ChangesNothing()
    {
        _old.Time.Advance(Overlap);

        Assert.Contains("counted until", _trust.Accept(_succession, NewThumbprint));
        Assert.Equal([OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    [Fact]
    public void Accept_SuccessorOfAnotherFederationsAuthority_ChangesNothing()
    {
        using var other = new AuthorityOnDisk(_old.Time.GetUtcNow());
        var foreign = other.Authority.CreateSuccessor(other.Path("successor"), Overlap);
        var announced = Succession.Load(Succession.PathBeside(foreign.CertificatePath));

        Assert.Contains("another authority", _trust.Accept(announced, MutualTls.ThumbprintOfPem(File.ReadAllText(foreign.CertificatePath))));
        Assert.Equal([OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    [Fact]
    public void Accept_Twice_SaysSoAndChangesNothing()
    {
        Assert.Null(_trust.Accept(_succession, NewThumbprint));
        Assert.Contains("already", _trust.Accept(_succession, NewThumbprint));
        Assert.Equal(2, _trust.Roots.Count);
    }

    /// <summary>A power cut between the two files: nobody new is believed, nobody old is lost.</summary>
    [Fact]
    public void Roots_SuccessionWithoutTheSuccessorsCertificate_IsTheOldOneAlone()
    {
        _succession.Save(Succession.PathBeside(MembersFile));

        Assert.Equal([OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    /// <summary>Whoever puts a root into the place of the old one without the old one's word has a federation of one root.</summary>
    [Fact]
    public void Roots_AnotherFederationsCertificateBesideTheSuccession_TrustsItAlone()
    {
        using var other = new AuthorityOnDisk();
        Assert.Null(_trust.Accept(_succession, NewThumbprint));
        File.Copy(other.Authority.CertificatePath, MembersFile, overwrite: true);

        Assert.Equal([MutualTls.Thumbprint(other.Certificate)], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    public static TheoryData<string> Forgeries => ["later", "former", "successor", "signature", "successorsSignature", "signedByAnother", "noAuthority", "null", "long"];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public void Load_NotExactlyWhatBothSigned_IsRefusedAndNobodyIsBelieved(string forgery)
    {
        using var other = new AuthorityOnDisk(_old.Time.GetUtcNow());
        using var otherWithKey = other.Authority.LoadCertificate();
        using var oldWithKey = _old.Authority.LoadCertificate();
        using var newWithKey = _new.LoadCertificate();
        var until = _succession.Until;
        var foreign = Succession.Announce(otherWithKey, newWithKey, until);
        var forged = forgery switch
        {
            "later" => _succession with { Until = until.AddSeconds(1) },
            "former" => _succession with { Former = other.Certificate.RawData },
            "successor" => _succession with { Successor = other.Certificate.RawData },
            "signature" => _succession with { Signature = _succession.SuccessorsSignature },
            "successorsSignature" => _succession with { SuccessorsSignature = _succession.Signature },
            "signedByAnother" => foreign with { Former = _succession.Former },
            "noAuthority" => Succession.Announce(oldWithKey, MemberWithKey(), until),
            _ => null,
        };
        var path = Succession.PathBeside(MembersFile);
        if (forged is not null) forged.Save(path);
        else File.WriteAllText(path, forgery == "null" ? "null" : new string(' ', 100_000));

        Assert.Throws<InvalidDataException>(() => Succession.Load(path));
        Assert.Throws<InvalidDataException>(() => _trust.Roots);

        _succession.Save(path);
        Assert.Equal([OldThumbprint], _trust.Roots.Select(MutualTls.Thumbprint));
    }

    [Fact]
    public void CreateSuccessor_TakesTheRegisterOver_WithWhoWasRevoked()
    {
        using var north = _old.SignMember("north");
        using var south = _old.SignMember("south");
        _old.Authority.Revoke(MemberKind.Site, "south");

        var successor = _old.Authority.CreateSuccessor(_old.Path("another"), Overlap);

        var register = FederationRegister.Load(successor.RegisterPath);
        Assert.NotNull(register.Find(MutualTls.Thumbprint(north)));
        Assert.Null(register.Find(MutualTls.Thumbprint(south)));
        successor.Revoke(MemberKind.Site, "north");
        Assert.Null(FederationRegister.Load(successor.RegisterPath).Find(MutualTls.Thumbprint(north)));
    }

    [Fact]
    public void CreateSuccessor_OfAnIssuingOneOrIntoAFolderThatHasOneOrBeyondItsEnd_IsRefused()
    {
        var issuing = _old.Authority.CreateIssuing(_old.Path("issuing"), TimeSpan.FromDays(30));

        Assert.Throws<InvalidOperationException>(() => issuing.CreateSuccessor(_old.Path("a"), Overlap));
        Assert.Throws<InvalidOperationException>(() => _old.Authority.CreateSuccessor(_old.Path("successor"), Overlap));
        _old.Time.Advance(TimeSpan.FromDays(365 * 10));
        Assert.Throws<InvalidOperationException>(() => _old.Authority.CreateSuccessor(_old.Path("b"), Overlap));
        Assert.False(Directory.Exists(_old.Path("a")) || Directory.Exists(_old.Path("b")));
    }

    [Fact]
    public void RenewCoordinator_ByTheSuccessorOfWhatTheOldOneSigned_KeepsKeyAndNames()
    {
        var request = KeyFiles.CreateRequest(_old.Path("coordinator.key"), "coordinator");
        using var current = X509Certificate2.CreateFromPem(_old.Authority.SignCoordinator(request, ["coordinator.example", "10.0.0.7"], TimeSpan.FromDays(30)));
        // Ended, as it may have.
        _old.Time.Advance(TimeSpan.FromDays(40));

        using var renewed = X509Certificate2.CreateFromPem(_new.RenewCoordinator(current, TimeSpan.FromDays(3650)));

        using var successor = KeyFiles.LoadAuthority(_new.CertificatePath);
        Assert.True(MutualTls.IsTrusted(renewed, [successor], MutualTls.ServerAuthentication));
        Assert.Equal(current.PublicKey.ExportSubjectPublicKeyInfo(), renewed.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.True(renewed.MatchesHostname("coordinator.example") && renewed.MatchesHostname("10.0.0.7"));
        Assert.False(renewed.MatchesHostname("elsewhere.example"));
    }

    [Fact]
    public void RenewCoordinator_OfWhatNobodyHereSignedForACoordinator_IsRefused()
    {
        using var other = new AuthorityOnDisk(_old.Time.GetUtcNow());
        var request = KeyFiles.CreateRequest(other.Path("coordinator.key"), "coordinator");
        using var foreign = X509Certificate2.CreateFromPem(other.Authority.SignCoordinator(request, ["coordinator.example"], TimeSpan.FromDays(30)));
        using var site = Sign(_old.Authority);

        Assert.Throws<InvalidOperationException>(() => _new.RenewCoordinator(foreign, TimeSpan.FromDays(30)));
        Assert.Throws<InvalidOperationException>(() => _new.RenewCoordinator(site, TimeSpan.FromDays(30)));
    }

    private bool IsTrusted(X509Certificate2 member, params X509Certificate2[] issuing) => MutualTls.IsTrusted(member, _trust.Roots, MutualTls.ClientAuthentication, issuing);

    private X509Certificate2 Sign(FederationAuthority authority)
    {
        var request = KeyFiles.CreateRequest(_old.Path(Guid.NewGuid() + ".key"), "north");
        return X509Certificate2.CreateFromPem(authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(3650)));
    }

    private X509Certificate2 MemberWithKey()
    {
        var path = _old.Path("member.key");
        File.WriteAllText(path + ".pem", _old.Authority.SignMember(KeyFiles.CreateRequest(path, "north"), MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(10)));
        return KeyFiles.LoadCertificate(path + ".pem", path);
    }
}

using FedSeg.Testing;
using System.Text.Json;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Cli.Tests.Provisioning;

public sealed class ProvisionCommandsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Authority => _folder["authority"];

    private FederationRegister Register => FederationRegister.Load(_folder["authority", "register.json"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FromInitToRevoke_EveryStep_LeavesWhatTheNextOneNeeds()
    {
        await DoneAsync("init", "--authority", Authority, "--host", "127.0.0.1");
        Assert.Equal(
            ["authority.key", "authority.pem", "coordinator.json", "coordinator.key", "coordinator.pem", "register.json"],
            Directory.GetFiles(Authority).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        var site = _folder["north"];
        await DoneAsync("request", "--site", "north", "--coordinator", "https://127.0.0.1:7443", "--label", "kidney", "--out", site);
        await DoneAsync("site", "--authority", Authority, "--request", Path.Combine(site, "north.csr"));
        Assert.Equal(
            ["agent.json", "authority.pem", "egress-policy.yaml", "north.csr", "north.key", "north.pem"],
            Directory.GetFiles(site).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using (var settings = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(site, "agent.json"), TestContext.Current.CancellationToken)))
        {
            var agent = settings.RootElement.GetProperty("Agent");
            Assert.Equal("north", agent.GetProperty("Site").GetString());
            Assert.True(agent.GetProperty("Cohort").GetProperty("Labels").TryGetProperty("kidney", out _));
        }

        var person = _folder["ada"];
        await DoneAsync("request", "--user", "ada", "--coordinator", "https://127.0.0.1:7443", "--out", person);
        await DoneAsync("user", "--authority", Authority, "--request", Path.Combine(person, "ada.csr"), "--role", "auditor");
        Assert.Contains("profile.json", Directory.GetFiles(person).Select(Path.GetFileName));

        Assert.Equal([(MemberKind.Site, "north", PersonRole.None), (MemberKind.Person, "ada", PersonRole.Auditor)], Register.Members.Select(entry => (entry.Kind, entry.Name, entry.Role)));
        using var authority = KeyFiles.LoadAuthority(Path.Combine(site, "authority.pem"));
        using var certificate = KeyFiles.LoadCertificate(Path.Combine(site, "north.pem"), Path.Combine(site, "north.key"));
        Assert.True(MutualTls.IsTrusted(certificate, [authority], MutualTls.ClientAuthentication));
        Assert.Equal("north", Register.Find(MutualTls.Thumbprint(certificate))!.Name);

        await DoneAsync("renew", "--authority", Authority, "--user", "ada", "--request", Path.Combine(person, "ada.csr"));
        Assert.Equal([PersonRole.Auditor, PersonRole.Auditor], Register.Members.Where(entry => entry.Name == "ada").Select(entry => entry.Role));

        await DoneAsync("user", "--authority", Authority, "--request", Path.Combine(person, "ada.csr"), "--study", "lungs=data-scientist", "--study", "kidneys=privacy-officer");
        await DoneAsync("renew", "--authority", Authority, "--user", "ada", "--request", Path.Combine(person, "ada.csr"));
        Assert.All(Register.Members.TakeLast(2), entry =>
        {
            Assert.Equal(PersonRole.None, entry.Role);
            Assert.Equal([new StudyRole("lungs", PersonRole.DataScientist), new StudyRole("kidneys", PersonRole.PrivacyOfficer)], entry.Studies);
        });

        await DoneAsync("revoke", "--authority", Authority, "--site", "north");
        Assert.Null(Register.Find(MutualTls.Thumbprint(certificate)));
        Assert.False(Register.HasSite("north"));
    }

    [Fact]
    public async Task Init_Twice_IsBadInputAndReplacesNothing()
    {
        await DoneAsync("init", "--authority", Authority);
        var before = await File.ReadAllBytesAsync(Path.Combine(Authority, "authority.pem"), TestContext.Current.CancellationToken);

        var ended = await FedsegProcess.RunAsync("provision", "init", "--authority", Authority);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("never replaced", ended.ErrorLine);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(Authority, "authority.pem"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Init_ImpossibleValidity_LeavesNoHalfAuthority()
    {
        var ended = await FedsegProcess.RunAsync("provision", "init", "--authority", Authority, "--days", "0");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("--days", ended.ErrorLine);
        await DoneAsync("init", "--authority", Authority);
    }

    [Fact]
    public async Task Revoke_SeveralFolders_CallsBackWhatEachOfThemSigned()
    {
        await DoneAsync("init", "--authority", Authority);
        string[] folders = [_folder["issuing"], _folder["issuing-2"], Authority];
        foreach (var folder in folders[..2])
        {
            await DoneAsync("issuing", "--authority", Authority, "--out", folder);
            var request = KeyFiles.CreateRequest(_folder[Path.GetFileName(folder) + ".key"], "north");
            FederationAuthority.Open(folder, TimeProvider.System).SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1));
        }

        await DoneAsync(["revoke", "--site", "north", .. folders.SelectMany(folder => new[] { "--authority", folder })]);

        Assert.All(folders, folder => Assert.False(FederationRegister.Load(Path.Combine(folder, "register.json")).HasSite("north")));
    }

    [Fact]
    public async Task Revoke_UnknownMember_IsBadInput()
    {
        await DoneAsync("init", "--authority", Authority);

        var ended = await FedsegProcess.RunAsync("provision", "revoke", "--authority", Authority, "--site", "mars");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("'mars'", ended.ErrorLine);
    }

    [Theory]
    [InlineData("--role", "emperor", "'emperor' is not a role")]
    [InlineData("--study", "kidneys", "not STUDY=ROLE")]
    [InlineData("--study", "../kidneys=auditor", "not STUDY=ROLE")]
    [InlineData("--study", "kidneys=platform-admin", "--role platform-admin")]
    public async Task User_RoleThatIsNone_IsBadInputAndSignsNothing(string option, string value, string problem)
    {
        await DoneAsync("init", "--authority", Authority);
        await DoneAsync("request", "--user", "ada", "--coordinator", "https://127.0.0.1:7443", "--out", _folder["ada"]);

        var ended = await FedsegProcess.RunAsync("provision", "user", "--authority", Authority, "--request", Path.Combine(_folder["ada"], "ada.csr"), option, value);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(problem, ended.ErrorLine);
        Assert.Empty(Register.Members);
    }

    [Fact]
    public async Task Request_NameThatIsNone_IsBadInputAndMakesNoKey()
    {
        var ended = await FedsegProcess.RunAsync("provision", "request", "--site", "../north", "--coordinator", "https://a:1", "--out", _folder["kit"]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("'../north'", ended.ErrorLine);
        Assert.False(Directory.Exists(_folder["kit"]));
    }

    [Fact]
    public async Task IssuingAndToken_ForASite_LeaveTheHashOfAToken()
    {
        var issuing = _folder["issuing"];
        await DoneAsync("init", "--authority", Authority);
        await DoneAsync("issuing", "--authority", Authority, "--out", issuing);

        var made = await FedsegProcess.RunAsync("provision", "token", "--authority", issuing, "--site", "north");

        using var authority = KeyFiles.LoadAuthority(Path.Combine(Authority, "authority.pem"));
        var parts = made.Output.Trim().Split('.');
        Assert.Equal(MutualTls.Thumbprint(authority), parts[1]);
        var book = await File.ReadAllTextAsync(Path.Combine(issuing, "enrolments.json"), TestContext.Current.CancellationToken);
        Assert.DoesNotContain(parts[0], book);
        Assert.Contains(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(parts[0]))), book);
    }

    [Fact]
    public async Task FromSuccessorToRenewedCoordinator_EveryStep_LeavesWhatTheNextOneNeeds()
    {
        var (successor, site) = (_folder["successor"], _folder["north"]);
        await DoneAsync("init", "--authority", Authority, "--host", "127.0.0.1");
        await DoneAsync("request", "--site", "north", "--coordinator", "https://127.0.0.1:7443", "--out", site);
        await DoneAsync("site", "--authority", Authority, "--request", Path.Combine(site, "north.csr"));
        var trusted = Path.Combine(site, "authority.pem");
        using var old = KeyFiles.LoadAuthority(trusted);

        var made = await FedsegProcess.RunAsync("provision", "successor", "--authority", Authority, "--out", successor, "--overlap-days", "30", "--json");
        using var document = JsonDocument.Parse(made.Output);
        var thumbprint = document.RootElement.GetProperty("thumbprint").GetString()!;
        string[] accept = ["provision", "accept", "--authority", trusted, "--succession", Path.Combine(successor, "authority.succession.json"), "--thumbprint"];

        var wrong = await FedsegProcess.RunAsync([.. accept, MutualTls.Thumbprint(old)]);
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("Nothing was changed", wrong.ErrorLine);
        Assert.Equal(0, (await FedsegProcess.RunAsync([.. accept, thumbprint.ToUpperInvariant()])).ExitCode);
        var trust = new FederationTrust(trusted, TimeProvider.System);
        Assert.Equal([thumbprint, MutualTls.Thumbprint(old)], trust.Roots.Select(MutualTls.Thumbprint));

        // A kit of the new authority believes the old one as long.
        await DoneAsync("renew", "--authority", successor, "--site", "north", "--request", Path.Combine(site, "north.csr"));
        Assert.Equal(2, trust.Roots.Count);

        var coordinator = Path.Combine(Authority, "coordinator.pem");
        using var before = KeyFiles.LoadAuthority(coordinator);
        await DoneAsync("renew-coordinator", "--authority", successor, "--certificate", coordinator, "--days", "7");
        using var after = KeyFiles.LoadAuthority(coordinator);
        Assert.True(MutualTls.IsTrusted(after, [trust.Roots[0]], MutualTls.ServerAuthentication));
        Assert.Equal(before.PublicKey.ExportSubjectPublicKeyInfo(), after.PublicKey.ExportSubjectPublicKeyInfo());

        var members = await FedsegProcess.RunAsync("provision", "renew-coordinator", "--authority", successor, "--certificate", Path.Combine(site, "north.pem"));
        Assert.Equal(2, members.ExitCode);
        Assert.Contains("did not sign", members.ErrorLine);
    }

    private static async Task DoneAsync(params string[] arguments)
    {
        var ended = await FedsegProcess.RunAsync(["provision", .. arguments]);
        Assert.True(ended.ExitCode == 0, ended.Errors);
        Assert.DoesNotContain("PRIVATE KEY", ended.Output);
    }
}

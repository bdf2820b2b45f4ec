using System.Text.Json;
using FedSeg.Hosting.Certificates;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Charters;

public sealed class CharterCommandsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FromNewToVerify_EveryStep_LeavesWhatTheNextOneNeeds()
    {
        FederationAuthority.Create(_folder["authority"], "test", TimeProvider.System);
        FederationAuthority.Create(_folder["other"], "other", TimeProvider.System);
        var (yaml, signed) = (_folder["charter.yaml"], _folder["charter.json"]);
        Assert.Equal(0, (await RunAsync("new", "kidneys-2026", "--out", yaml)).ExitCode);
        var empty = await RunAsync("sign", yaml, "--authority", _folder["authority"], "--out", signed);
        Assert.Equal(2, empty.ExitCode);
        foreach (var key in new[] { "title", "purpose", "legalBasis", "sites", "recipients[0].organisation", "recipients[0].country", "expires" }) Assert.Contains($": {key}: ", empty.Errors);
        Assert.False(File.Exists(signed));

        var text = await File.ReadAllTextAsync(yaml, TestContext.Current.CancellationToken);
        foreach (var key in new[] { "title", "purpose", "legalBasis", "organisation", "country" }) text = text.Replace($"{key}: \"\"", $"{key}: something", StringComparison.Ordinal);
        text = text.Replace("sites: []", "sites: [north]", StringComparison.Ordinal).Replace("expires: \"\"", "expires: 2099-12-31", StringComparison.Ordinal);
        await File.WriteAllTextAsync(yaml, text, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("sign", yaml, "--authority", _folder["authority"], "--out", signed)).ExitCode);

        var verified = await RunAsync("verify", signed, "--authority", _folder["authority", "authority.pem"], "--json");
        using var document = JsonDocument.Parse(verified.Output);
        Assert.Equal((0, true), (verified.ExitCode, document.RootElement.GetProperty("verified").GetBoolean()));
        var other = await RunAsync("verify", signed, "--authority", _folder["other", "authority.pem"]);
        Assert.Equal((1, "No: not signed by this authority."), (other.ExitCode, other.Output.Trim()));
        // The former authority's word of the past is verified by whoever knows that it was its successor's.
        FederationAuthority.Open(_folder["authority"], TimeProvider.System).CreateSuccessor(_folder["successor"], TimeSpan.FromDays(1));
        var former = await RunAsync("verify", signed, "--authority", _folder["successor", "authority.pem"]);
        Assert.Equal(0, former.ExitCode);
        Assert.StartsWith("The former authority, whose word counts until ", former.Output, StringComparison.Ordinal);
        var shown = await RunAsync("show", signed);
        Assert.Contains("Blind: each hospital's change is masked", shown.Output);
        Assert.Contains(document.RootElement.GetProperty("charter").GetString()!, shown.Output);
    }

    [Fact]
    public async Task Sign_WithAnIssuingAuthority_IsBadInput()
    {
        FederationAuthority.Create(_folder["authority"], "test", TimeProvider.System).CreateIssuing(_folder["issuing"], TimeSpan.FromDays(30));
        var yaml = _folder.Write("charter.yaml", """
            study: kidneys
            version: 1
            title: T
            purpose: P
            legalBasis: L
            sites: [north]
            recipients: [{ organisation: O, country: C, address: "https://coordinator.example:7443" }]
            mode: blind
            bounds: { maximumRounds: 1, maximumStepsPerRound: 1, maximumParameters: 1 }
            expires: 2099-12-31
            """);

        var ended = await RunAsync("sign", yaml, "--authority", _folder["issuing"], "--out", _folder["charter.json"]);
        Assert.Equal(2, ended.ExitCode);
        Assert.StartsWith("This is an issuing authority", ended.Errors, StringComparison.Ordinal);
    }

    private static Task<FedsegProcess> RunAsync(params string[] arguments) => FedsegProcess.RunAsync(["charter", .. arguments]);
}

using FedSeg.Cli.Provisioning;
using FedSeg.Hosting.Certificates;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A data scientist's day against a running coordinator, and the clear answers to what goes wrong.</summary>
public sealed class CommandLineTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task JobAndModelCommands_AgainstARunningFederation_DoWhatTheirHelpSays()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.StartAllAsync(Cancellation);
        var job = Path.Combine(federation.Work, "job.yaml");
        File.WriteAllText(job, federation.Job(rounds: 1));
        var model = Path.Combine(federation.Work, "downloaded.safetensors");

        Task<CommandResult> Fedseg(params string[] arguments) => FedsegCommand.RunAsync(Cancellation, [.. arguments, "--profile", federation.Demo.ProfilePath]);
        Assert.Equal(0, (await Fedseg("job", "validate", job)).ExitCode);
        var submitted = await Fedseg("job", "submit", job, "--json");
        var run = submitted.Json.GetProperty("run").GetString()!;
        var watched = await Fedseg("job", "watch", run, "--json");
        Assert.Equal("completed", watched.Json.GetProperty("status").GetString());
        Assert.Contains(run, (await Fedseg("job", "list")).Output);
        var rounds = (await Fedseg("job", "show", run, "--json")).Json.GetProperty("rounds");
        Assert.Equal(2, rounds.GetArrayLength());
        Assert.All(rounds.EnumerateArray(), round =>
        {
            var site = round.GetProperty("sites").GetProperty("north");
            Assert.Equal((10, 10), (site.GetProperty("usedStudies").GetInt32(), site.GetProperty("foundStudies").GetInt32()));
        });
        Assert.Contains("used 10 of 10", (await Fedseg("job", "show", run)).Output);
        Assert.Equal(2, (await Fedseg("model", "list", "--json")).Json.GetProperty("models").GetArrayLength());
        Assert.Equal(0, (await Fedseg("model", "download", run, "--out", model)).ExitCode);
        var recomputed = await Fedseg("model", "recompute", run, "--data", Path.Combine(federation.Demo.CoordinatorDirectory, "data"), "--json");
        Assert.True(recomputed.Json.GetProperty("verified").GetBoolean());
        Assert.Equal(2, recomputed.Json.GetProperty("models").GetArrayLength());
        var metadata = (await Fedseg("model", "show", run, "--json")).Json.GetProperty("metadata");

        Assert.Equal("[\"kidney\",\"tumour\"]", metadata.GetProperty("labels").GetString());
        Assert.Equal(run, metadata.GetProperty("run").GetString());
        Assert.True(new FileInfo(model).Length > 1000);
    }

    [Fact]
    public async Task Jobs_ThatNameWhatIsNotThere_AreRefusedWithOneLineEach()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.StartAllAsync(Cancellation);
        await federation.WaitAsync(await federation.SubmitAsync(federation.Job(rounds: 1, steps: 1), Cancellation), run => run.Status != "running", Cancellation);
        var good = federation.Job();

        await AssertRefusedAsync(federation, good.Replace("sites: [north]", "sites: [north, atlantis]").Replace("quorum: 1", "quorum: 2"), "'atlantis' is not a site of this federation; known are: north");
        await AssertRefusedAsync(federation, good.Replace("tumour]", "spleen]"), "'spleen' is not a label of site 'north'; it declares: kidney, tumour");
        await AssertRefusedAsync(federation, good.Replace("unet3d", "gpt"), "job.yaml:6: model.architecture: 'gpt' is not on the allow-list; use one of: unet3d");
    }

    [Fact]
    public async Task Coordinator_ThatIsDown_IsOneClearLineAndAFault()
    {
        await using var federation = new TestFederation(cohorts, "north");

        var result = await FedsegCommand.RunAsync(Cancellation, "job", "list", "--profile", federation.Demo.ProfilePath);

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith("No answer from the coordinator: Connection refused", OneLine(result.Error));
    }

    [Fact]
    public async Task CertificateOfAnotherAuthority_IsRefusedInOneLine()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        var stranger = Directory.CreateDirectory(Path.Combine(federation.Work, "stranger")).FullName;
        var authority = FederationAuthority.Create(Path.Combine(federation.Work, "other-authority"), "other", TimeProvider.System);
        var kit = new KitFiles(stranger, "mallory");
        kit.WriteRequest();
        kit.WriteProfile($"https://127.0.0.1:{federation.Demo.Port}");
        File.WriteAllText(Path.Combine(stranger, "mallory.pem"), authority.SignMember(File.ReadAllText(kit.RequestPath), MemberKind.Person, "mallory", PersonRole.DataScientist, TimeSpan.FromDays(1)));
        File.Copy(Path.Combine(federation.Demo.CoordinatorDirectory, FederationAuthority.CertificateFile), Path.Combine(stranger, FederationAuthority.CertificateFile));

        var result = await FedsegCommand.RunAsync(Cancellation, "job", "list", "--profile", kit.ProfilePath);

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith("No answer from the coordinator", OneLine(result.Error));
    }

    [Fact]
    public async Task RevokedPerson_IsRefusedAtTheNextCall()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.Demo.StartCoordinatorAsync(Cancellation);
        Assert.Equal(0, (await FedsegCommand.RunAsync(Cancellation, "job", "list", "--profile", federation.Demo.ProfilePath)).ExitCode);

        Assert.Equal(0, (await FedsegCommand.RunAsync(Cancellation, "provision", "revoke", "--authority", federation.Demo.CoordinatorDirectory, "--user", "demo-scientist")).ExitCode);

        var result = await FedsegCommand.RunAsync(Cancellation, "job", "list", "--profile", federation.Demo.ProfilePath);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("does not let this certificate do that", OneLine(result.Error));
    }

    [Theory]
    [InlineData("empty", "has no site folder")]
    [InlineData("empty-site", "has no case folder")]
    [InlineData("text-files", "has no usable case: 1 refused, the first (NoDicomFiles)")]
    [InlineData("Bad Name", "can't be a site")]
    public async Task DemoData_ThatIsNone_IsExplainedInOneLine(string kind, string expected)
    {
        var folder = Directory.CreateTempSubdirectory("fedseg-e2e-data-");
        try
        {
            if (kind is "empty-site") folder.CreateSubdirectory("north");
            if (kind is "text-files") File.WriteAllText(Path.Combine(folder.CreateSubdirectory("north/case-1").FullName, "notes.txt"), "no image");
            if (kind is "Bad Name") folder.CreateSubdirectory(kind);

            var result = await FedsegCommand.RunAsync(Cancellation, "demo", "--data", folder.FullName);

            Assert.Equal(2, result.ExitCode);
            Assert.Contains(expected, OneLine(result.Error));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task AgentSettings_WithManyMistakes_AreAllNamedAtOnce()
    {
        var folder = Directory.CreateTempSubdirectory("fedseg-e2e-agent-");
        try
        {
            var settings = Path.Combine(folder.FullName, "agent.json");
            File.WriteAllText(settings, """{ "Agent": { "Site": "Nord", "Coordinator": "http://x", "DataDirectory": "data" } }""");
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", [Hosting.Programs.ProgramFiles.Find("FedSeg.SiteAgent"), "--settings", settings]) { RedirectStandardError = true })!;
            var error = await process.StandardError.ReadToEndAsync(Cancellation);
            await process.WaitForExitAsync(Cancellation);

            Assert.Equal(2, process.ExitCode);
            foreach (var key in new[] { "Agent:Site must", "Agent:Coordinator must", "Agent:Certificate is missing", "Agent:EgressPolicy is missing", "Agent:Cohort:Directory is missing", "Agent:Cohort:Labels is empty" }) Assert.Contains(key, error);
            Assert.DoesNotContain("   at ", error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task AssertRefusedAsync(TestFederation federation, string yaml, string expected)
    {
        var job = Path.Combine(federation.Work, "job.yaml");
        File.WriteAllText(job, yaml);
        var result = await FedsegCommand.RunAsync(Cancellation, "job", "submit", job, "--profile", federation.Demo.ProfilePath);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(expected, OneLine(result.Error));
    }

    private static string OneLine(string error) => Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
}

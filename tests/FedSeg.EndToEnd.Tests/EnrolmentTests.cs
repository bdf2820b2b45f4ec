using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A hospital joins as docs/enrolment.md says: every step is the command that its operator, or the coordinator's, types.</summary>
public sealed partial class EnrolmentTests(PhantomCohorts cohorts)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Poll = TimeSpan.FromMilliseconds(100);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SiteWithAToken_ConfirmedByThumbprint_TrainsWithTheKitItGotAndIsRenewedMeanwhile()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var (issuing, kit) = (Path.Combine(federation.Demo.CoordinatorDirectory, "issuing"), Path.Combine(federation.Work, "newcomer"));
        await RunAsync("provision", "issuing", "--authority", federation.Demo.CoordinatorDirectory, "--out", issuing);
        var port = LetEnrol(federation.Demo.CoordinatorDirectory);
        await federation.Demo.StartCoordinatorAsync(Cancellation);

        var token = (await RunAsync("provision", "token", "--authority", issuing, "--site", "newcomer")).Trim();
        var enrolling = FedsegCommand.RunAsync(
            Cancellation,
            "provision", "enrol", "--site", "newcomer", "--token", token, "--enrolment", $"https://127.0.0.1:{port}",
            "--coordinator", $"https://127.0.0.1:{federation.Demo.Port}", "--cohort", cohorts.Sites["north"], "--label", "kidney", "--label", "tumour", "--out", kit);
        var key = await UntilAsync(async () => WaitingKey().Match(await RunAsync("provision", "waiting", "--authority", issuing)) is { Success: true } line ? line.Groups[1].Value : null);
        Assert.False(enrolling.IsCompleted);
        await RunAsync("provision", "confirm", "--authority", issuing, "--site", "newcomer", "--key", key);

        var enrolled = await enrolling;
        Assert.True(enrolled.ExitCode == 0, enrolled.Error);
        Assert.Contains($"This site's key is {key}", enrolled.Output);

        LetTrain(kit);
        // Dated back by five minutes, so two thirds of its life are over: the agent has it renewed as soon as it can, and its successors each minute.
        var certificate = Path.Combine(kit, "newcomer.pem");
        var request = KeyFiles.RequestAgain(Path.Combine(kit, "newcomer.key"), "newcomer");
        var authority = FederationAuthority.Open(issuing, TimeProvider.System);
        File.WriteAllText(certificate, authority.SignMember(request, MemberKind.Site, "newcomer", PersonRole.None, TimeSpan.FromMinutes(2.5)));
        var old = ThumbprintOf(certificate);
        var run = await federation.SubmitAsync(federation.Job(rounds: 2).Replace("sites: [north]", "sites: [newcomer]", StringComparison.Ordinal), Cancellation);
        using var agent = Process.Start(new ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.SiteAgent"), "--settings", Path.Combine(kit, "agent.json")]) { RedirectStandardOutput = true })!;
        agent.BeginOutputReadLine();
        try
        {
            var ended = await federation.WaitForEndAsync(run, Cancellation);

            Assert.Equal("completed", ended.Status);
            Assert.All(ended.Rounds, round => Assert.Equal("accepted", Assert.Single(round.Sites).State));
            var renewed = await UntilAsync(() => Task.FromResult(ThumbprintOf(certificate) is var now && now != old ? now : null));
            Assert.Contains(FederationRegister.Load(Path.Combine(issuing, FederationAuthority.RegisterFile)).Members, member => member.Thumbprint == renewed);
            federation.AssertNoErrorsLogged();
        }
        finally
        {
            agent.Kill(entireProcessTree: true);
        }
    }

    private static string ThumbprintOf(string certificatePath)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(certificatePath);
        return MutualTls.Thumbprint(certificate);
    }

    /// <summary>What a hospital does next: says how the segments are called in its own files, and what may leave.</summary>
    private static void LetTrain(string kit)
    {
        var path = Path.Combine(kit, "agent.json");
        var settings = JsonNode.Parse(File.ReadAllText(path))!;
        settings["Agent"]!["Cohort"]!["Labels"] = PhantomCohorts.Labels();
        settings["Agent"]!["Trainer"]!["Device"] = "cpu";
        File.WriteAllText(path, settings.ToJsonString());
        File.WriteAllText(Path.Combine(kit, "egress-policy.yaml"), """
            maximumUpdateBytes: 100000000
            runsWithoutCharter: true
            maximumNorm: 1000
            minimumTrainingCases: 1
            review: auto-within-bounds
            plansWithin: { maximumRounds: 10, maximumStepsPerRound: 10, maximumParameters: 1000000 }

            """);
    }

    /// <summary>Names the issuing authority in the coordinator's settings, and a free port.</summary>
    private static int LetEnrol(string coordinatorDirectory)
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        var path = Path.Combine(coordinatorDirectory, "coordinator.json");
        var settings = JsonNode.Parse(File.ReadAllText(path))!;
        settings["Coordinator"]!["Enrolment"] = new JsonObject { ["Issuing"] = "issuing", ["Listen"] = $"127.0.0.1:{port}" };
        File.WriteAllText(path, settings.ToJsonString());
        return port;
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var result = await FedsegCommand.RunAsync(Cancellation, arguments);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output;
    }

    private static async Task<string> UntilAsync(Func<Task<string?>> look)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < Patience)
        {
            if (await look() is { } seen) return seen;
            await Task.Delay(Poll, TimeProvider.System, Cancellation);
        }

        throw new TimeoutException("It did not happen.");
    }

    [GeneratedRegex("^newcomer  ([0-9a-f]{64})  ", RegexOptions.Multiline)]
    private static partial Regex WaitingKey();
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FedSeg.Hosting.Programs;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A hospital joins as docs/enrolment.md says: every step is the command that its operator, or the coordinator's, types.</summary>
public sealed partial class EnrolmentTests(PhantomCohorts cohorts)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2), Poll = TimeSpan.FromMilliseconds(100);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SiteWithAToken_ConfirmedByThumbprint_AttendsWithTheKitItGot()
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
            "--coordinator", $"https://127.0.0.1:{federation.Demo.Port}", "--cohort", cohorts.Sites["north"], "--label", "kidney", "--out", kit);
        var key = await UntilAsync(async () => WaitingKey().Match(await RunAsync("provision", "waiting", "--authority", issuing)) is { Success: true } line ? line.Groups[1].Value : null);
        Assert.False(enrolling.IsCompleted);
        await RunAsync("provision", "confirm", "--authority", issuing, "--site", "newcomer", "--key", key);

        var enrolled = await enrolling;
        Assert.True(enrolled.ExitCode == 0, enrolled.Error);
        Assert.Contains($"This site's key is {key}", enrolled.Output);
        using var agent = Process.Start(new ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.SiteAgent"), "--settings", Path.Combine(kit, "agent.json")]) { RedirectStandardOutput = true })!;
        try
        {
            await UntilAsync(() => Task.FromResult(federation.Log("coordinator").Contains("Site newcomer attends", StringComparison.Ordinal) ? "attends" : null));
        }
        finally
        {
            agent.Kill(entireProcessTree: true);
        }
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

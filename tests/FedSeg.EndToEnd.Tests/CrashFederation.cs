using System.Text.Json.Nodes;
using FedSeg.Cli.Federations;
using FedSeg.Cli.Jobs;
using FedSeg.Hosting.Faults;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// Two sites and a coordinator as real processes, to be killed. Only the training is stood in for, by one that follows from site, round and base model, so that the final
/// model's hash tells whether an update was lost, counted twice or of another round.
/// </summary>
internal sealed class CrashFederation : IAsyncDisposable
{
    private const string Label = "kidney";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20), Patience = TimeSpan.FromMinutes(2);
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("fedseg-crash-");
    private readonly Dictionary<string, LocalProcess> _processes = [];

    /// <summary>How often each was in service before its latest start.</summary>
    private readonly Dictionary<string, int> _lives = [];

    public CrashFederation()
    {
        var cohorts = Sites.ToDictionary(site => site, site => Directory.CreateDirectory(Path.Combine(_work.FullName, "cohorts", site, "case")).Parent!.FullName);
        Local = LocalFederation.Provision(_work.FullName, cohorts, [Label]);
        foreach (var site in Sites)
        {
            Local.Configure(site, agent =>
            {
                agent["Trainer"]!["Path"] = ProgramFiles.Find("FedSeg.FakeTrainer");
                agent["Trainer"]!["Arguments"] = new JsonArray("learn");
            });
        }
    }

    public const string Coordinator = "coordinator", North = "north", South = "south";

    private static string[] Sites => [North, South];

    public LocalFederation Local { get; }

    public string DataDirectory => Path.Combine(Local.CoordinatorDirectory, "data");

    /// <summary>Starts a process, the coordinator or a site's agent, with what is to fail in it.</summary>
    public LocalProcess Start(string name, string? failpoints = null)
    {
        var environment = failpoints is null
            ? new Dictionary<string, string>()
            : new Dictionary<string, string> { [Failpoints.Variable] = failpoints, [Failpoints.PermissionVariable] = "yes" };
        _lives[name] = LogCount(Coordinator, InService(name));
        var started = name == Coordinator ? Local.LaunchCoordinator(environment) : Local.StartAgent(name, environment);
        _processes[name] = started;
        return started;
    }

    /// <summary>Kills a process and starts it again.</summary>
    public async Task RestartAsync(string name, string? failpoints = null)
    {
        await Local.KillAsync(_processes[name]);
        Start(name, failpoints);
    }

    /// <summary>Waits until a process that was just started is back in service: the coordinator listens, an agent attends.</summary>
    /// <returns>How long that took; <see langword="null"/> when it died of what is armed in it first.</returns>
    public async Task<TimeSpan?> BackAsync(string name, CancellationToken cancellationToken)
    {
        var words = InService(name);
        var lives = _lives.GetValueOrDefault(name);
        var started = TimeProvider.System.GetTimestamp();
        await UntilAsync(() => LogCount(Coordinator, words) > lives || _processes[name].HasExited, $"{name} is not back", cancellationToken);
        return LogCount(Coordinator, words) > lives ? TimeProvider.System.GetElapsedTime(started) : null;
    }

    /// <summary>Submits the run, which may be the last thing that the coordinator does.</summary>
    /// <returns>The run; nothing when the coordinator died first.</returns>
    public async Task<string> SubmitAsync(int rounds, CancellationToken cancellationToken)
    {
        try
        {
            var verdict = await Local.Connection.Runs.SubmitAsync(new JobFile { Yaml = Job(rounds) }, deadline: Soon(), cancellationToken: cancellationToken);
            Assert.Empty(verdict.Problems);
            return verdict.RunId;
        }
        catch (RpcException) when (_processes[Coordinator].HasExited)
        {
            // It died of the first failpoint, after it had entered the run.
            return "";
        }
    }

    /// <summary>Waits until a process has died of what was armed in it.</summary>
    public async Task DiedAsync(string name, string failpoint, CancellationToken cancellationToken)
    {
        await UntilAsync(() => _processes[name].HasExited, $"{name} did not reach {failpoint}", cancellationToken);
        // Its last words are copied to the log a little later.
        await UntilAsync(() => LogCount(name, $"Failpoint {failpoint}") > 0, $"{name} ended, and not of {failpoint}", cancellationToken);
        await Local.KillAsync(_processes[name]);
    }

    public async Task UntilAsync(Func<bool> reached, string otherwise, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!reached())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience) Assert.Fail($"{otherwise}: {string.Join(Environment.NewLine, _processes.Values.Select(process => process.LastWords()))}");
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Waits for the one run to end.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="besides">How long the run may take beyond what an undisturbed one may.</param>
    public async Task<Run> EndAsync(CancellationToken cancellationToken, TimeSpan besides = default)
    {
        Assert.NotNull(await BackAsync(Coordinator, cancellationToken));
        // A connection of its own: one that saw the coordinator die waits before it tries again.
        using var connection = CoordinatorConnection.Open(Local.ProfilePath);
        Run? run = null;
        var started = TimeProvider.System.GetTimestamp();
        while (run is not { Status: not "running" })
        {
            Local.CheckAlive();
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience + besides, $"The run does not end: {run}");
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
            run = Assert.Single((await connection.Runs.ListAsync(new ListRunsRequest(), cancellationToken: cancellationToken)).Runs);
        }

        return run;
    }

    /// <summary>How often a process' log says something, over all its lives.</summary>
    public int LogCount(string name, string words)
    {
        var path = Path.Combine(Local.LogDirectory, (name == Coordinator ? name : "agent-" + name) + ".log");
        if (!File.Exists(path)) return 0;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new StreamReader(stream).ReadToEnd().Split(words).Length - 1;
    }

    /// <summary>
    /// The promises after everything: the run completed, every update a site was told of as accepted counts in its round and no other does, the ledgers are whole, and the
    /// models are what the stored updates give.
    /// </summary>
    public async Task AssertNothingLostAsync(Run run, CancellationToken cancellationToken)
    {
        Assert.Equal("completed", run.Status);
        foreach (var site in Sites)
        {
            // The last answer ends the run, and the site records it a moment later.
            await UntilAsync(() => Sent(site).Count >= run.Rounds.Count, $"{site} has not recorded all that counts", cancellationToken);
            var sent = Sent(site);
            Assert.All(sent, entry => Assert.Equal("accepted", entry.Facts["receipt"]));
            foreach (var round in run.Rounds)
            {
                var counted = Assert.Single(round.Sites, result => result.Site == site && result.State == "accepted").Digest;
                Assert.True(sent.Any(entry => entry.Facts["update"] == counted), $"{site} has no record of the update that counts in round {round.Number}: {Told(site, counted)}");
            }

            Assert.Equal(run.Rounds.Count, sent.Count);
            Assert.True(LedgerVerifier.VerifyFolder(Local.LedgerDirectory(site)).Verified);
        }

        Assert.True(LedgerVerifier.VerifyFolder(Path.Combine(DataDirectory, "ledger")).Verified);
        await Local.StopAsync();
        Assert.Equal(0, await RecomputeAsync(run.Id));
    }

    public async ValueTask DisposeAsync()
    {
        await Local.DisposeAsync();
        _work.Delete(recursive: true);
    }

    /// <summary>What the coordinator's log says when a process is there.</summary>
    private static string InService(string name) => name == Coordinator ? "Now listening on" : $"Site {name} attends";

    private List<LedgerEntry> Sent(string site) =>
        [.. LedgerReader.Open(Local.LedgerDirectory(site)).Entries().Where(entry => entry.Action == "egressSent")];

    private string Told(string site, string update) => string.Join("; ", LedgerReader.Open(Local.LedgerDirectory(site)).Entries()
        .Where(entry => entry.Facts.GetValueOrDefault("update") == update)
        .Select(entry => $"{entry.Time:HH:mm:ss.fff} {entry.Action} {entry.Facts.GetValueOrDefault("reason")}"));

    private async Task<int> RecomputeAsync(string run)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.Coordinator"), "recompute", run, "--data", DataDirectory]) { RedirectStandardOutput = true })!;
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static DateTime Soon() => TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(10);

    /// <summary>A small job for both sites.</summary>
    public static string Job(int rounds) => $$"""
        name: crash
        sites: [{{string.Join(", ", Sites)}}]
        rounds: {{rounds}}
        labels: [{{Label}}]
        model: { architecture: unet3d, baseFeatures: 2, levels: 2 }
        data: { modality: MR, spacingMm: [1, 1, 1], patchVoxels: [8, 8, 8] }
        # What a site holds back is part of the final model's hash, too.
        training: { stepsPerRound: 1, updateEncoding: top10, errorFeedback: true }
        aggregation: { quorum: {{Sites.Length}} }
        minimumCases: 1

        """;
}

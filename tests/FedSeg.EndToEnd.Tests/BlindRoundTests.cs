using System.Diagnostics;
using System.Text.Json.Nodes;
using FedSeg.Cli.Federations;
using FedSeg.FakeTrainer;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Programs;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Protocol.V1;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// Five hospitals whose updates nobody sees: real processes, a trainer whose updates are known, so that the sum is known to the bit.
/// </summary>
public sealed class BlindRoundTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3), Poll = TimeSpan.FromMilliseconds(50);
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("fedseg-e2e-blind-");
    private readonly LocalFederation _federation;

    public BlindRoundTests()
    {
        var cohort = Directory.CreateDirectory(Path.Combine(_work.FullName, "cohort", "case")).Parent!.FullName;
        _federation = LocalFederation.Provision(Path.Combine(_work.FullName, "federation"), Sites.ToDictionary(site =>
            site, _ => cohort), ["kidney"]);
        for (var number = 1; number <= Sites.Length; number++)
        {
            var trainer = number.ToString();
            _federation.Configure(Sites[number - 1], agent =>
            {
                agent["Trainer"]!["Path"] = ProgramFiles.Find("FedSeg.FakeTrainer");
                agent["Trainer"]!["Arguments"] = new JsonArray("deliver", trainer);
            });
        }
    }

    private static string[] Sites => ["site1", "site2", "site3", "site4", "site5"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_federation.CoordinatorDirectory, "data");

    private static string Job => """
        name: blind
        sites: [site1, site2, site3, site4, site5]
        rounds: 1
        labels: [kidney]
        model: { architecture: unet3d, baseFeatures: 4, levels: 2 }
        data: { modality: MR, spacingMm: [1, 1, 1], patchVoxels: [16, 16, 16] }
        training: { stepsPerRound: 1 }
        aggregation: { mode: blind, blind: { range: 0.9, maximumCases: 128, stepMinutes: 2 } }

        """;

    public async ValueTask DisposeAsync()
    {
        await _federation.DisposeAsync();
        _work.Delete(recursive: true);
    }

    [Fact]
    public async Task BlindRound_SiteKilledAfterSharingKeysAndCoordinatorRestarted_GivesTheMeanOfTheOthersToTheBit()
    {
        var coordinator = await _federation.StartCoordinatorAsync(Cancellation);
        var agents = Sites.Where(site => site != "site2").ToDictionary(site => site, _federation.StartAgent);
        var verdict = await _federation.Connection.Runs.SubmitAsync(new JobFile { Yaml = Job }, cancellationToken: Cancellation);
        Assert.Empty(verdict.Problems);
        var run = verdict.RunId;

        // site1 has sent its keys and is held before it can deal shares: the roster is made only when site2 comes.
        await UntilAsync(() => agents.Keys.All(site => Stored(run, "keys", site)), "keys");
        Signal(agents["site1"], "STOP");
        agents.Add("site2", _federation.StartAgent("site2"));
        await UntilAsync(() => Sites.Skip(1).All(site => Stored(run, "shares", site)), "shares");

        await _federation.KillAsync(agents["site5"]);
        await _federation.KillAsync(coordinator);
        await _federation.StartCoordinatorAsync(Cancellation);
        Signal(agents["site1"], "CONT");
        // Back again, without its keys: it is out of this round, and in the closing evaluation.
        _federation.StartAgent("site5");
        var ended = await WaitForEndAsync(run);

        Assert.Equal("completed", ended.Status);
        var results = ended.Rounds[0].Sites.ToDictionary(site => site.Site);
        Assert.Equal("dropped: LeftExchange", $"{results["site5"].State}: {results["site5"].Reason}");
        Assert.All(Sites.Take(4), site => Assert.Equal("accepted", results[site].State));
        Assert.Equal(await InspectableMeanAsync(run, [1, 2, 3, 4]), await WeightsAsync(ended.Model.Sha256));

        var recomputed = await FedsegCommand.RunAsync(Cancellation, "model", "recompute", run, "--data", Data, "--json");
        Assert.True(recomputed.Json.GetProperty("verified").GetBoolean(), recomputed.Output);
        Assert.All(Sites.Take(4), AssertLeftMasked);
        Assert.True(LedgerVerifier.VerifyFolder(_federation.LedgerDirectory("site1")).Verified);
        Assert.DoesNotContain(Entries("site5"), entry => entry.Action == "egressMasked");
        Assert.Contains(Entries("site5"), entry => entry.Action == "egressDiscarded");
    }

    /// <summary>
    /// The ledger names the plain update and the masked one in its place; only the latter is anywhere at the coordinator.
    /// </summary>
    private void AssertLeftMasked(string site)
    {
        var entries = Entries(site).ToList();
        var masked = Assert.Single(entries, entry => entry.Action == "egressMasked");
        Assert.Equal("masked", masked.Facts["form"]);
        Assert.Equal("5", masked.Facts["sites"]);
        Assert.Equal(["keys", "shares", "confirmations", "disclosures"], entries.Where(entry =>
            entry.Action == "blindStepCleared").Select(entry => entry.Facts["stage"]));
        Assert.Contains(entries, entry => entry.Action == "egressSent" && entry.Facts["update"] == masked.Facts["update"]);
        Assert.DoesNotContain(entries, entry => entry.Action == "egressSent" && entry.Facts["update"] == masked.Facts["plainUpdate"]);

        var blobs = Directory.EnumerateFiles(
            Path.Combine(Data, "blobs"), "*", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).ToList();
        Assert.Contains(masked.Facts["payloadSha256"], blobs);
        Assert.DoesNotContain(masked.Facts["plainSha256"], blobs);
    }

    /// <summary>
    /// What the inspectable mode makes of the plain updates of some sites: the same aggregation over the same numbers, unmasked.
    /// </summary>
    private async Task<float[]> InspectableMeanAsync(string run, int[] sites)
    {
        var models = (await _federation.Connection.Runs.ListModelsAsync(new ListModelsRequest(), cancellationToken: Cancellation)).Models;
        var initial = await WeightsAsync(models.Single(model => model.RunId == run && model.Round == 0).Sha256);
        var merged = new WeightsInMemory(initial.Length);
        var round = new AggregationRound
        {
            Number = 1,
            Base = new WeightsInMemory([.. initial.Select(weight => (double)weight)]),
            Contributions = [.. sites.Select(site => new Contribution
            {
                Site = SiteId.Parse($"site{site}"),
                Update = new WeightsInMemory([.. Enumerable.Range(0, initial.Length).Select(weight =>
                    (double)Deliveries.Change(site, 1, weight))]),
                Weight = Deliveries.Cases,
            })],
        };
        var output = new AggregationOutput(merged, new Dictionary<StatePart, IWeightSink>());
        Aggregator.Run(StrategyCatalog.Find("fedavg")!.Create(), round, output, Cancellation);
        return [.. merged.Values.ToArray().Select(weight => (float)weight)];
    }

    private async Task<float[]> WeightsAsync(string sha256)
    {
        var path = Path.Combine(_work.FullName, sha256);
        await _federation.Connection.DownloadAsync(Sha256Digest.Parse(sha256), path, Cancellation);
        using var file = SafetensorsFile.Open(path);
        return [.. file.Tensors.SelectMany(tensor => file.ReadAll(tensor.Name))];
    }

    private IEnumerable<LedgerEntry> Entries(string site) => LedgerReader.Open(_federation.LedgerDirectory(site)).Entries();

    private bool Stored(string run, string stage, string site) => File.Exists(Path.Combine(Data, "exchanges", run, "1", $"{stage}-{site}"));

    private static void Signal(LocalProcess agent, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", agent.Id.ToString()]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private async Task<Run> WaitForEndAsync(string run)
    {
        Run? shown = null;
        await UntilAsync(async () => (shown = await _federation.Connection.Runs.ShowAsync(
            new RunKey { RunId = run }, cancellationToken: Cancellation)).Status != "running", "the end");
        return shown!;
    }

    private Task UntilAsync(Func<bool> reached, string what) => UntilAsync(() => Task.FromResult(reached()), what);

    private async Task UntilAsync(Func<Task<bool>> reached, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await reached())
        {
            _federation.CheckAlive();
            Assert.True(TimeProvider.System.GetElapsedTime(
                started) < Patience, $"{what} did not come in {Patience.TotalMinutes} minutes; logs: {Logs()}");
            await Task.Delay(Poll, TimeProvider.System, Cancellation);
        }
    }

    private string Logs() => string.Join("\n", Directory.GetFiles(_federation.LogDirectory).Select(path =>
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return $"== {Path.GetFileName(path)}\n{new StreamReader(stream).ReadToEnd()}";
    }));
}

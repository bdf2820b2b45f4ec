using System.Text;
using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.EndToEnd.Tests;

/// <summary>What a job says sites shall do beside plain steps, through the real processes and the real gate.</summary>
public sealed class LocalAlgorithmTests(PhantomCohorts cohorts)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ScaffoldWithLocalNorms_AWholeRun_SendsNoNormAndComesOutTheSameWhenRecomputed()
    {
        await using var federation = new TestFederation(cohorts, "east", "north");
        await using var proxy = new RecordingProxy(federation, "north");
        await federation.StartAllAsync(Cancellation);
        var run = await federation.SubmitAsync(With(federation.Job(), "algorithm: scaffold", "keepLocal: [normalisation]"), Cancellation);
        Assert.Equal("completed", (await federation.WaitForEndAsync(run, Cancellation)).Status);

        var sent = Encoding.Latin1.GetString(proxy.Sent);
        Assert.Contains("\"control.encoder.0.0.conv.weight\"", sent);
        Assert.DoesNotContain(".norm.", sent);
        var recomputed = await FedsegCommand.RunAsync(Cancellation, "model", "recompute", run, "--data", Path.Combine(federation.Demo.CoordinatorDirectory, "data"), "--json");
        Assert.True(recomputed.Json.GetProperty("verified").GetBoolean(), recomputed.Output);
        await federation.Demo.StopAsync();

        var data = Path.Combine(federation.Demo.SiteDirectory("north"), "data");
        Assert.True(File.Exists(Path.Combine(data, "personal", run + ".safetensors")));
        Assert.False(Directory.Exists(Path.Combine(data, "state", run)));
        Assert.NotEmpty(new RunSplit(Path.Combine(data, "splits", run + ".json")).Known());
        federation.AssertNoErrorsLogged();
    }

    [Fact]
    public async Task PrivateTraining_AWholeRun_SaysWhatItCostAndTellsNoLoss()
    {
        await using var federation = new TestFederation(cohorts, "north");
        await federation.StartAllAsync(Cancellation);
        var run = await federation.SubmitAsync(With(federation.Job(rounds: 1), "privacy:", "  epsilon: 8", "  delta: 1e-3", "  expectedBatch: 2"), Cancellation);
        var ended = await federation.WaitForEndAsync(run, Cancellation);

        Assert.Equal("completed", ended.Status);
        Assert.All(ended.Rounds.SelectMany(round => round.Sites), site => Assert.False(site.HasMeanLoss));
        Assert.Matches("cost every patient epsilon (7\\.99\\d|8\\.000) at delta 0.001: sampling rate 0\\.\\d+, noise \\d", federation.Log("agent-north"));
    }

    /// <summary>Further lines of the job's <c>training</c>.</summary>
    private static string With(string job, params string[] lines) =>
        job.Replace("  batchSize: 1\n", "  batchSize: 1\n" + string.Concat(lines.Select(line => $"  {line}\n")), StringComparison.Ordinal);
}

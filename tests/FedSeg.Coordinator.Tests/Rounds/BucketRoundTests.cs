using System.Text.Json;
using FedSeg.Coordinator.Models.Bucket;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Tests.Models.Bucket;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Testing;

namespace FedSeg.Coordinator.Tests.Rounds;

/// <summary>
/// A coordinator whose blobs lie in a bucket: nothing is acknowledged that is not there, and nothing else is needed to go on.
/// </summary>
public sealed class BucketRoundTests(SwiftServer server) : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    private string Copies => Path.Combine(_coordinator.Settings.DataDirectory, "blobs");

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Receive_BucketAway_IsNotAcknowledgedAndGoesOnWhenItIsBack()
    {
        var bucket = await UseBucketAsync();
        var plan = _coordinator.CreateAndOpen();
        var endpoint = bucket.Endpoint;
        bucket.Endpoint = "http://127.0.0.1:9";
        _coordinator.Reopen();
        var update = SiteUpdate.Of(plan, CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North));

        await Assert.ThrowsAsync<IOException>(() => _coordinator.SendAsync(update));
        Assert.Empty(_coordinator.Book.Find(plan.Run)!.OpenRound!.Accepted);

        bucket.Endpoint = endpoint;
        _coordinator.Reopen();
        var stored = _coordinator.Intake.StoredBytes(plan.Run, CoordinatorOnDisk.North, update.Announced.Digest);
        Assert.Equal(update.Bytes.Length, stored);
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(update, offset: stored));
        Directory.Delete(Copies, recursive: true);
        Assert.Equal(update.Bytes,
            await File.ReadAllBytesAsync(_coordinator.Blobs.PathOf(update.Announced.Payload!.Value), CoordinatorOnDisk.Token));
    }

    [Fact]
    public async Task RunAsync_CopiesGoneBeforeEachMerge_MakesTheModelsOfACoordinatorWithoutABucket()
    {
        await UseBucketAsync();
        var model = await RunRoundAsync(_coordinator, beforeLastUpdate: () => Directory.Delete(Copies, recursive: true));
        Directory.Delete(Copies, recursive: true);

        using var plain = new CoordinatorOnDisk();
        Assert.Equal(await RunRoundAsync(plain), model);
        Assert.Equal(model, Sha256Digest.Of(await File.ReadAllBytesAsync(_coordinator.Blobs.PathOf(model), CoordinatorOnDisk.Token)));
    }

    /// <summary>An auditor proves a model from what lies in the bucket, while the coordinator's own folder stays as it is.</summary>
    [Fact]
    public async Task Recompute_BySettings_ReadsTheBucketAndLeavesTheDataFolderAlone()
    {
        var bucket = await UseBucketAsync();
        var model = await RunRoundAsync(_coordinator);
        var update = _coordinator.Book.Runs.Single().Rounds[0].Accepted[CoordinatorOnDisk.East].Weights!.Sha256;
        Directory.Delete(Copies, recursive: true);
        using var folder = new TemporaryFolder();
        var settings = folder.Write("coordinator.json", JsonSerializer.Serialize(new { Coordinator = new { _coordinator.Settings.DataDirectory, Bucket = bucket } }));

        Assert.Equal(0, RecomputeProgram.Run($"{model}", ["--settings", settings], CoordinatorOnDisk.Token));
        Assert.False(Directory.Exists(Copies));
        Assert.Equal(1, RecomputeProgram.Run($"{model}", ["--data", _coordinator.Settings.DataDirectory], CoordinatorOnDisk.Token)); // without the bucket nothing is there

        _coordinator.Blobs.Delete(update);
        Assert.Equal(1, RecomputeProgram.Run($"{model}", ["--settings", settings], CoordinatorOnDisk.Token));
    }

    [Fact]
    public void Recompute_SettingsWithABucketThatCantBe_SaysWhichKey()
    {
        using var folder = new TemporaryFolder();
        var settings = folder.Write("coordinator.json", """{ "Coordinator": { "DataDirectory": "data", "Bucket": { "Endpoint": "ftp://store" } } }""");

        var refused = Assert.Throws<InvalidDataException>(() => RecomputeProgram.Run("run-1", ["--settings", settings], CoordinatorOnDisk.Token));

        Assert.Contains("Coordinator:Bucket:Endpoint", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>It would be the same the next time: a run that waited for it as for a full disk would wait for ever.</summary>
    [Fact]
    public async Task RunAsync_UpdateIsDamagedInTheBucket_EndsTheRun()
    {
        var bucket = await UseBucketAsync();
        var run = _coordinator.Create(rounds: 1).Id;
        var running = _coordinator.Runner.RunAsync(run, CoordinatorOnDisk.Token);
        var plan = _coordinator.Book.Find(run)!.OpenRound!.Plan;
        var update = SiteUpdate.Of(plan, CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North));
        await _coordinator.SendAsync(update);
        var digest = update.Announced.Payload!.Value.ToString();
        await SwiftServer.PutAsync(bucket, $"/{bucket.Prefix}{digest[..2]}/{digest}.safetensors", [9, 9, 9], CoordinatorOnDisk.Token);
        Directory.Delete(Copies, recursive: true);
        await _coordinator.SendAsync(SiteUpdate.Of(plan, CoordinatorOnDisk.East, _coordinator.KeyOf(CoordinatorOnDisk.East), 2f));

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!running.IsCompleted)
        {
            _coordinator.Time.Advance(TimeSpan.FromSeconds(5));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
        }

        await running;
        Assert.Contains(nameof(InvalidDataException), _coordinator.Book.Find(run)!.End!.Reason, StringComparison.Ordinal);
    }

    /// <returns>The model of a run of one round.</returns>
    private static async Task<Sha256Digest> RunRoundAsync(CoordinatorOnDisk coordinator, Action? beforeLastUpdate = null)
    {
        var run = coordinator.Create(rounds: 1).Id;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        var running = coordinator.Runner.RunAsync(run, stop.Token);
        var plan = coordinator.Book.Find(run)!.OpenRound!.Plan;
        await coordinator.SendAsync(SiteUpdate.Of(plan, CoordinatorOnDisk.North, coordinator.KeyOf(CoordinatorOnDisk.North), 0.5f));
        beforeLastUpdate?.Invoke();
        await coordinator.SendAsync(SiteUpdate.Of(plan, CoordinatorOnDisk.East, coordinator.KeyOf(CoordinatorOnDisk.East), 2f));
        var round = (await coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null)).Rounds[0];
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        return round.Model!.Sha256;
    }

    private async Task<BucketOptions> UseBucketAsync()
    {
        _coordinator.Settings.Bucket = await server.CreateBucketAsync(CoordinatorOnDisk.Token);
        _coordinator.Reopen();
        return _coordinator.Settings.Bucket;
    }
}

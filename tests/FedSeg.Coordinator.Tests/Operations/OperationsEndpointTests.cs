using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Tests.Grpc;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Certificates;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Tests.Operations;

public sealed class OperationsEndpointTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Health_RunningCoordinator_IsHealthy(string path) => Assert.Equal((200, "Healthy"), await server.AskOperationsAsync(path, Token));

    [Fact]
    public async Task Metrics_AfterARefusedUpload_TellItsReasonAndTheMemory()
    {
        server.Part<CoordinatorTelemetry>().Refused(UploadOutcome.SignatureRefused);

        var (status, body) = await server.AskOperationsAsync("/metrics", Token);

        Assert.Equal(200, status);
        Assert.Contains(body.Split('\n'), line => line.StartsWith("fedseg_updates_refused", StringComparison.Ordinal) && line.Contains("reason=\"SignatureRefused\""));
        Assert.Contains("fedseg_runs_open", body);
        Assert.Contains("fedseg_sites_attending", body);
        Assert.Contains("dotnet_process_memory_working_set", body);
    }

    /// <summary>What the federation's port has is not to be had here, whatever path somebody asks for.</summary>
    [Theory]
    [InlineData("/")]
    [InlineData("/fedseg.v1.Runs/ListRuns")]
    [InlineData("/health")]
    public async Task AnyOtherPath_IsNotFound(string path) => Assert.Equal(404, (await server.AskOperationsAsync(path, Token)).Status);

    /// <summary>The status is what an orchestrator reads. No run is open here.</summary>
    [Theory]
    [InlineData(0, 503, "Unhealthy")]
    [InlineData(DataFolderCheck.LeastRoom - 1, 503, "Unhealthy")]
    [InlineData(DataFolderCheck.LeastRoom, 200, "Degraded")]
    [InlineData(1L << 40, 200, "Healthy")]
    public async Task Ready_DiskThatFills_IsRefusedBeforeNothingCanBeStored(long free, int status, string says)
    {
        var check = server.Part<DataFolderCheck>();
        var measured = check.FreeBytes;
        check.FreeBytes = _ => free;
        try
        {
            Assert.Equal((status, says), await server.AskOperationsAsync("/health/ready", Token));
        }
        finally
        {
            check.FreeBytes = measured;
        }
    }

    [Fact]
    public async Task DataFolderCheck_FolderGoneOrFull_IsNotReady()
    {
        var book = server.Part<RunBook>();
        var elsewhere = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString());
        var gone = new DataFolderCheck(Options.Create(new CoordinatorOptions { DataDirectory = elsewhere }), book);
        var full = new DataFolderCheck(
            Options.Create(new CoordinatorOptions { DataDirectory = Path.GetTempPath(), MaximumUpdateBytes = long.MaxValue }), book);

        Assert.Equal(HealthStatus.Unhealthy, (await gone.CheckHealthAsync(new HealthCheckContext(), Token)).Status);
        Assert.Equal(HealthStatus.Degraded, (await full.CheckHealthAsync(new HealthCheckContext(), Token)).Status);
    }

    [Fact]
    public async Task DataFolderCheck_RoomForNoAwaitedUpdate_IsNotReady()
    {
        using var coordinator = new CoordinatorOnDisk();
        var needed = DataFolderCheck.LeastRoom + coordinator.CreateAndOpen().UpdateBytes();
        var check = new DataFolderCheck(Options.Create(coordinator.Settings), coordinator.Book) { FreeBytes = _ => needed };

        Assert.Equal(HealthStatus.Degraded, (await check.CheckHealthAsync(new HealthCheckContext(), Token)).Status);
        check.FreeBytes = _ => needed - 1;
        Assert.Equal(HealthStatus.Unhealthy, (await check.CheckHealthAsync(new HealthCheckContext(), Token)).Status);
    }
}

public sealed class CoordinatorTelemetryTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Update_InASparseEncoding_CountsWhatItSaved()
    {
        var saved = new ConcurrentBag<long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Name == "fedseg.updates.saved") meters.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => saved.Add(bytes));
        listener.Start();
        var job = CoordinatorOnDisk.Job();
        var run = _coordinator.Create(job with { Recipe = job.Recipe with { UpdateEncoding = UpdateEncoding.Top10 } }).Id;
        _coordinator.Book.Step(run, new RunInput.Continued(), _coordinator.Time.GetUtcNow());
        var plan = _coordinator.Book.Find(run)!.OpenRound!.Plan;
        var (north, key) = (CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North));
        var report = SiteUpdate.Report(plan, north).ToBytes();

        await _coordinator.SendAsync(SiteUpdate.Of(plan, north, key, report, SiteUpdate.Sparse(plan, firstPlace: 0)));

        // Other tests send theirs meanwhile, none of them in this encoding.
        Assert.Contains(SafetensorsWriter.FileLength(plan.Manifest()) - plan.UpdateBytes(), saved);
    }

    [Fact]
    public async Task Round_FromUploadsToMerge_IsOneTrace()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CoordinatorTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                lock (spans) spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);

        var run = _coordinator.Create(rounds: 1).Id;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        var running = _coordinator.Runner.RunAsync(run, stop.Token);
        var plan = (await _coordinator.UntilAsync(run, state => state.OpenRound is not null)).OpenRound!.Plan;
        foreach (var site in new[] { CoordinatorOnDisk.North, CoordinatorOnDisk.East })
        {
            await _coordinator.SendAsync(SiteUpdate.Of(plan, site, _coordinator.KeyOf(site)));
        }

        await _coordinator.UntilAsync(run, state => state.Rounds[0].ClosedAt is not null);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        List<Activity> ours;
        lock (spans) ours = [.. spans.Where(span => run.ToString().Equals(span.GetTagItem("fedseg.run")) && 1.Equals(span.GetTagItem("fedseg.round")))];
        Assert.Equal(["merge", "receive", "receive", "round"], ours.Select(span => span.OperationName).Order());
        Assert.All(ours, span => Assert.Equal(RoundTrace.Of(run, 1).TraceId, span.TraceId));
        Assert.NotEqual(RoundTrace.Of(run, 1).TraceId, RoundTrace.Of(run, 2).TraceId);
        Assert.NotEqual(RoundTrace.Of(run, 1).TraceId, RoundTrace.Of(RunId.Parse("run-other"), 1).TraceId);
    }
}

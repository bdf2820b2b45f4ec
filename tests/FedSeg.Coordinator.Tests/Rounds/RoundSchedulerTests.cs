using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class RoundSchedulerTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    /// <summary>A coordinator that is started on a full disk serves whoever reads, and goes on when there is room.</summary>
    [Fact]
    public async Task Start_DiskFullWhenAnEndedRunIsToBeNoted_NotesItOnceThereIsRoom()
    {
        var opened = _coordinator.CreateAndOpen();
        _coordinator.Book.Step(opened.Run, new RunInput.Cancelled("ada"), _coordinator.Time.GetUtcNow());
        var disk = new FullDisk(_coordinator.Time);
        _coordinator.Ledger.Dispose();
        using var ledger = new CoordinatorLedger(Options.Create(_coordinator.Settings), disk);
        disk.IsFull = true;
        using var scheduler = new RoundScheduler(_coordinator.Book, _coordinator.Runner, _coordinator.Blobs, ledger, _coordinator.Time, NullLogger<RoundScheduler>.Instance);
        await scheduler.StartAsync(CoordinatorOnDisk.Token);
        await disk.Asked.WaitAsync(TimeSpan.FromSeconds(30), CoordinatorOnDisk.Token);
        disk.IsFull = false;

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (ledger.Read().Count == 0)
        {
            _coordinator.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
        }

        Assert.False(scheduler.ExecuteTask!.IsCompleted);
        Assert.Equal("modelPublished", ledger.Read().Entries().First().Action);
        await scheduler.StopAsync(CancellationToken.None);
    }

    /// <summary>It ended, and then the coordinator did, before what was still on its way to it was dropped.</summary>
    [Fact]
    public async Task Start_EndedRunWithUnfinishedUploads_DropsThemAndNoOthers()
    {
        var ended = _coordinator.CreateAndOpen();
        _coordinator.Book.Step(ended.Run, new RunInput.Cancelled("ada"), _coordinator.Time.GetUtcNow());
        var open = _coordinator.CreateAndOpen();
        var (left, kept) = (Arriving(ended), Arriving(open));
        using var scheduler = new RoundScheduler(
            _coordinator.Book, _coordinator.Runner, _coordinator.Blobs, _coordinator.Ledger, _coordinator.Time, NullLogger<RoundScheduler>.Instance);

        await scheduler.StartAsync(CoordinatorOnDisk.Token);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (File.Exists(left)) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
        await scheduler.StopAsync(CancellationToken.None);

        Assert.True(File.Exists(kept));
    }

    private string Arriving(RoundPlan plan)
    {
        var path = _coordinator.Blobs.IncomingPath(UpdateIntake.IncomingFolder(plan.Run, plan.Round), "half");
        File.WriteAllBytes(path, [1]);
        return path;
    }

    /// <summary>The ledger asks for the time when it is about to write; here that is where the disk refuses.</summary>
    private sealed class FullDisk(TimeProvider time) : TimeProvider
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isFull;

        public bool IsFull
        {
            get => _isFull;
            set => _isFull = value;
        }

        /// <summary>Something found no room.</summary>
        public Task Asked => _asked.Task;

        public override DateTimeOffset GetUtcNow()
        {
            if (!IsFull) return time.GetUtcNow();
            _asked.TrySetResult();
            throw new IOException("There is no room.");
        }
    }
}

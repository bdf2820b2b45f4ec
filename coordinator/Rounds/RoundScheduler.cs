using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Rounds;

/// <summary>Gives every run that has not ended its <see cref="RoundRunner"/>: new runs as they are submitted, unfinished ones at start.</summary>
internal sealed partial class RoundScheduler(
    RunBook book, RoundRunner runner, BlobStore blobs, CoordinatorLedger ledger, TimeProvider time, ILogger<RoundScheduler> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A run that goes on is noted, and tidied up after, by its runner.
        foreach (var run in book.Runs.Where(run => run.End is not null))
        {
            blobs.DropIncoming(run.Id.ToString());
            await NoteAsync(run, stoppingToken);
        }

        var running = new Dictionary<RunId, Task>();
        while (!stoppingToken.IsCancellationRequested)
        {
            var change = book.NextChange;
            foreach (var run in book.Runs.Where(run => run.End is null && !running.ContainsKey(run.Id)))
            {
                if (run.Rounds.Length > 0) LogResumed(run.Id, run.Rounds.Length);
                running.Add(run.Id, Task.Run(() => runner.RunAsync(run.Id, stoppingToken), stoppingToken));
            }

            foreach (var run in running.Where(entry => entry.Value.IsCompleted).Select(entry => entry.Key).ToList())
            {
                // A fault of the runner is a fault of the program: surface it and stop the host.
                await running[run];
                running.Remove(run);
            }

            await Task.WhenAny([change.WaitAsync(stoppingToken), .. running.Values]);
        }
    }

    /// <summary>Has the ledger say of a run that is over what the journal says. Whoever wants to read is served meanwhile, also while the disk is full.</summary>
    private async Task NoteAsync(RunState run, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await ledger.NoteAsync(run);
                return;
            }
            catch (IOException error)
            {
                LogStorageFailed(run.Id, error.Message, RoundRunner.StorageRetry.TotalSeconds);
                await Task.Delay(RoundRunner.StorageRetry, time, cancellationToken);
            }
        }
    }

    [LoggerMessage(101, LogLevel.Information, "Resumed {Run} in round {Round}")]
    private partial void LogResumed(RunId run, int round);

    [LoggerMessage(102, LogLevel.Error, "Could not note {Run} in the ledger: {Problem} Free space in the data folder; trying again in {Seconds} s")]
    private partial void LogStorageFailed(RunId run, string problem, double seconds);
}

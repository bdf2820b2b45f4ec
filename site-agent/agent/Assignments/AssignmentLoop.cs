using System.Threading.Channels;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Ledgers;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// Attends at the coordinator, again and again, and hands each planned round to <see cref="RoundWork"/>, one at a time. The stream says after every
/// reconnect what is to be done, so nothing is remembered between connections but what is being worked on.
/// </summary>
internal sealed partial class AssignmentLoop(
    CoordinatorClient coordinator,
    RoundWork work,
    TrainerHost trainer,
    Preflight preflight,
    LedgerExchange ledgers,
    IOptions<AgentOptions> options,
    TimeProvider time,
    ILogger<AssignmentLoop> logger) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StorageRetry = TimeSpan.FromSeconds(15);

    private readonly Channel<RoundPlan> _rounds = Channel.CreateBounded<RoundPlan>(64);
    private readonly Lock _gate = new();
    private readonly HashSet<(RunId Run, int Round)> _taken = [];
    private readonly HashSet<RunId> _ended = [];
    private (RunId Run, CancellationTokenSource Cancellation)? _current;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(AttendAsync(stoppingToken), WorkAsync(stoppingToken));
    }

    private async Task AttendAsync(CancellationToken cancellationToken)
    {
        var isolated = await trainer.CanIsolateAsync(cancellationToken);
        LogIsolation(isolated);
        await preflight.LogAsync(cancellationToken);
        var retry = FirstRetry;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                // Before anything is asked or sent: each party shows the other that its past is still what it was.
                if (await ledgers.RunAsync(cancellationToken))
                {
                    await foreach (var assignment in coordinator.AttendAsync(options.Value.Cohort.Labels.Keys, isolated, WorkingOn(), cancellationToken))
                    {
                        retry = FirstRetry;
                        await TakeAsync(assignment, cancellationToken);
                    }
                }
                else
                {
                    retry = LongestRetry;
                }
            }
            catch (ConnectionLostException error)
            {
                LogDisconnected(options.Value.Coordinator, error.Message, retry.TotalSeconds);
            }
            catch (IOException error)
            {
                LogNotCosignedYet(error.Message);
            }

            await Task.Delay(retry, time, cancellationToken);
            retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
        }
    }

    private async Task TakeAsync(Assignment assignment, CancellationToken cancellationToken)
    {
        switch (assignment)
        {
            case Assignment.Round { Plan: var bytes }:
                if (PlanCheck.TryRead(bytes.Span) is not { } plan)
                {
                    LogUnreadablePlan(bytes.Length);
                    break;
                }

                lock (_gate)
                {
                    if (!_taken.Add((plan.Run, plan.Round))) break;
                }

                await _rounds.Writer.WriteAsync(plan, cancellationToken);
                break;
            case Assignment.RunEnded { Run: var run }:
                LogRunEnded(run);
                await EndRunAsync(run);
                break;
        }
    }

    private List<RunId> WorkingOn()
    {
        lock (_gate) return [.. _taken.Select(round => round.Run).Distinct()];
    }

    private async Task EndRunAsync(RunId run)
    {
        CancellationTokenSource? working;
        lock (_gate)
        {
            _ended.Add(run);
            working = _current is { } current && current.Run == run ? current.Cancellation : null;
        }

        // The one who works on it closes the trainer and discards what is unsent; if nobody does, it is done here.
        if (working is not null) await working.CancelAsync();
        else await work.EndRunAsync(run);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await foreach (var plan in _rounds.Reader.ReadAllAsync(cancellationToken))
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            lock (_gate)
            {
                // Ended while it waited in the queue.
                if (_ended.Contains(plan.Run)) continue;
                _current = (plan.Run, cancellation);
            }

            try
            {
                await DoWhileThereIsRoomAsync(plan, cancellation.Token);
                await CosignAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                await work.EndRunAsync(plan.Run);
                LogAbandoned(plan.Run, plan.Round);
            }
            finally
            {
                lock (_gate)
                {
                    _current = null;
                    _taken.Remove((plan.Run, plan.Round));
                }
            }
        }
    }

    /// <summary>Has what the round added to both ledgers cosigned. Without a connection that waits for the next attendance.</summary>
    private async Task CosignAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ledgers.RunAsync(cancellationToken);
        }
        catch (Exception error) when (error is ConnectionLostException or IOException)
        {
            LogNotCosignedYet(error.Message);
        }
    }

    /// <summary>
    /// Does a round, again after a full disk: what was approved is not trained twice, and nothing is lost while the operator makes room.
    /// </summary>
    private async Task DoWhileThereIsRoomAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await work.DoAsync(plan, cancellationToken);
                return;
            }
            catch (IOException error)
            {
                LogStorageFailed(plan.Run, plan.Round, error.Message, StorageRetry.TotalSeconds);
                await Task.Delay(StorageRetry, time, cancellationToken);
            }
        }
    }

    [LoggerMessage(400, LogLevel.Information, "The trainer can be cut off from the network here: {Isolated}")]
    private partial void LogIsolation(bool isolated);

    [LoggerMessage(401, LogLevel.Warning, "No connection to the coordinator {Address}: {Problem}. Trying again in {Seconds} s")]
    private partial void LogDisconnected(string address, string problem, double seconds);

    [LoggerMessage(402, LogLevel.Error, "The coordinator sent a plan of {Bytes} bytes that this agent can't read; it was ignored")]
    private partial void LogUnreadablePlan(int bytes);

    [LoggerMessage(403, LogLevel.Information, "{Run} has ended")]
    private partial void LogRunEnded(RunId run);

    [LoggerMessage(404, LogLevel.Information, "Stopped working on {Run} round {Round}")]
    private partial void LogAbandoned(RunId run, int round);

    [LoggerMessage(406, LogLevel.Warning, "The ledger is not cosigned yet: {Problem}")]
    private partial void LogNotCosignedYet(string problem);

    [LoggerMessage(405, LogLevel.Error, "Could not store files of {Run} round {Round}: {Problem} Free space in the agent's data folder; trying again in {Seconds} s")]
    private partial void LogStorageFailed(RunId run, int round, string problem, double seconds);
}

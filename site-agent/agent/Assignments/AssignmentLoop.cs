using System.Collections.Immutable;
using System.Threading.Channels;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Ledgers;
using FedSeg.SiteAgent.Operations;
using FedSeg.SiteAgent.Review;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// Attends at the coordinator, again and again, and does what <see cref="AssignmentProtocol"/> makes of what it learns. The stream says after every reconnect what is
/// to be done, so nothing is remembered between connections but what is being worked on.
/// </summary>
internal sealed partial class AssignmentLoop(
    CoordinatorClient coordinator,
    RoundWork work,
    TrainerHost trainer,
    Preflight preflight,
    LedgerExchange ledgers,
    DeskWatch desk,
    SitePace pace,
    AgentTelemetry telemetry,
    IOptions<AgentOptions> options,
    TimeProvider time,
    ILogger<AssignmentLoop> logger) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromSeconds(8);

    // Bounded: a coordinator that floods its stream waits for the agent.
    private readonly Channel<AssignmentInput> _inputs = Channel.CreateBounded<AssignmentInput>(64);
    private volatile AssignmentState _state = AssignmentState.Idle;

    // Cancelled to attend anew. Not disposed when replaced: who took its token may still look at it.
    private volatile CancellationTokenSource _hangUp = new();

    public override void Dispose()
    {
        _hangUp.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var token = ending.Token;
        Task[] loops = [AttendAsync(token), StepAsync(token), FollowDeskAsync(token), FollowLeavingAsync(token), FollowSwitchAsync(token)];
        // None ends by itself, so one that did has a fault. An agent of which a part is dead must not look alive: the others end with it, and the host with them.
        await Task.WhenAny(loops);
        await ending.CancelAsync();
        await Task.WhenAll(loops);
    }

    /// <summary>Takes up again what people have decided about.</summary>
    private async Task FollowDeskAsync(CancellationToken cancellationToken)
    {
        await foreach (var run in desk.Answered.ReadAllAsync(cancellationToken)) await _inputs.Writer.WriteAsync(new AssignmentInput.Reviewed(run), cancellationToken);
    }

    /// <summary>A run of a study that this site has left is over here, whatever the coordinator says; with its end goes what was kept of it.</summary>
    private async Task FollowLeavingAsync(CancellationToken cancellationToken)
    {
        await foreach (var run in desk.Left.ReadAllAsync(cancellationToken)) await _inputs.Writer.WriteAsync(new AssignmentInput.RunEnded(run), cancellationToken);
    }

    /// <summary>Stops what is under way each time the kill switch is thrown.</summary>
    private async Task FollowSwitchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await desk.Switch.WhenReleasedAsync(cancellationToken);
            await desk.Switch.WhenThrownAsync(cancellationToken);
            LogHalted();
            await _inputs.Writer.WriteAsync(new AssignmentInput.Halted(), cancellationToken);
        }
    }

    /// <summary>Everything the agent learns, in one order; the work it leads to runs beside it.</summary>
    private async Task StepAsync(CancellationToken cancellationToken)
    {
        await RecoverAsync(cancellationToken);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var working = Task.CompletedTask;
        try
        {
            await foreach (var input in _inputs.Reader.ReadAllAsync(cancellationToken))
            {
                foreach (var effect in Step(input))
                {
                    switch (effect)
                    {
                        case AssignmentEffect.Stop { Within: var within } when within > TimeSpan.Zero:
                            stop.CancelAfter(within);
                            break;
                        case AssignmentEffect.Stop:
                            await stop.CancelAsync();
                            break;
                        case AssignmentEffect.Free { Run: var run }:
                            await FreeAsync(run);
                            break;
                        case AssignmentEffect.Drop { Run: var run }:
                            await DropAsync(run);
                            break;
                        case AssignmentEffect.AttendAnew { Within: var within } when within > TimeSpan.Zero:
                            _hangUp.CancelAfter(within);
                            break;
                        case AssignmentEffect.AttendAnew:
                            await HangUpAsync();
                            break;
                        case AssignmentEffect.Work step:
                            await working;
                            // Each step has its own: what was to stop the one before must not stop this one.
                            stop.Dispose();
                            stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                            working = WorkAsync(step, stop.Token, cancellationToken);
                            break;
                    }
                }
            }
        }
        finally
        {
            await working;
            stop.Dispose();
        }
    }

    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var run in await work.RecoverAsync(cancellationToken)) Step(new AssignmentInput.Remembered(run));
        }
        catch (IOException error)
        {
            // A full disk: what is left of earlier runs stays where it is until the next start.
            LogNotRecovered(error.Message);
        }
    }

    private ImmutableArray<AssignmentEffect> Step(AssignmentInput input)
    {
        var (next, effects) = AssignmentProtocol.Step(_state, input);
        _state = next;
        return effects;
    }

    /// <summary>Does one step of a round and tells how it ended.</summary>
    private async Task WorkAsync(AssignmentEffect.Work step, CancellationToken stop, CancellationToken cancellationToken)
    {
        try
        {
            await _inputs.Writer.WriteAsync(await telemetry.FollowAsync(step, () => OutcomeAsync(step, stop)), cancellationToken);
        }
        catch (Exception error)
        {
            // The program stops, or telemetry has a fault: the loop that reads the inputs ends with it.
            _inputs.Writer.TryComplete(error);
        }
    }

    private async Task<AssignmentInput> OutcomeAsync(AssignmentEffect.Work step, CancellationToken stop)
    {
        var plan = step.Plan;
        try
        {
            switch (step)
            {
                case AssignmentEffect.Wait { Time: var wait }:
                    await Task.Delay(wait, time, stop);
                    return new AssignmentInput.WaitOver();
                case AssignmentEffect.Cosign:
                    await CosignAsync(stop);
                    return new AssignmentInput.Cosigned();
                default:
                    return await work.DoAsync(step, stop);
            }
        }
        catch (ConnectionLostException error)
        {
            LogConnectionLost(plan.Run, plan.Round, error.Message);
            return new AssignmentInput.ConnectionLost();
        }
        catch (InvalidDataException error)
        {
            LogBadModel(error.Message);
            return new AssignmentInput.ConnectionLost();
        }
        catch (IOException error)
        {
            LogStorageFailed(plan.Run, plan.Round, error.Message);
            return new AssignmentInput.StorageFailed();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            LogAbandoned(plan.Run, plan.Round);
            return new AssignmentInput.Stopped();
        }
        catch (Exception error)
        {
            // Started again, the agent would be given the same round and die of it again, and with it every other run of this site.
            LogBroke(plan.Run, plan.Round, step.GetType().Name, error);
            return new AssignmentInput.Broke();
        }
    }

    /// <summary>Ends a run at this site. Where that fails, the run stays held, and the coordinator says at the next attendance again that it is over.</summary>
    private async Task FreeAsync(RunId run)
    {
        try
        {
            await work.EndRunAsync(run);
            Step(new AssignmentInput.RunFreed(run));
            // The coordinator asks for a round once on a connection. On the next one it asks again, is told that the site has left, and waits for it no longer.
            if (work.HasLeft(run)) await HangUpAsync();
        }
        catch (IOException error)
        {
            LogNotFreed(run, error.Message);
        }
        catch (Exception error)
        {
            LogBrokeFreeing(run, error);
        }
    }

    /// <summary>Ends a run's trainer.</summary>
    private async Task DropAsync(RunId run)
    {
        try
        {
            await work.StopRunAsync(run);
        }
        catch (Exception error)
        {
            LogBrokeFreeing(run, error);
        }
    }

    private async Task HangUpAsync()
    {
        var attendance = _hangUp;
        _hangUp = new CancellationTokenSource();
        await attendance.CancelAsync();
    }

    private async Task AttendAsync(CancellationToken cancellationToken)
    {
        await LookAroundAsync(cancellationToken);
        var retry = FirstRetry;
        // Before the first assignment, so that nothing is trained again that only waits to be recorded, and never beside one: looking for it tidies the outbox.
        var isUnsentSent = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            await desk.Switch.WhenReleasedAsync(cancellationToken);
            // Its time was set, and is over.
            if (_hangUp.IsCancellationRequested) _hangUp = new CancellationTokenSource();
            using var attending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, desk.Switch.Thrown, _hangUp.Token);
            try
            {
                // Before anything is asked or sent: each party shows the other that its past is still what it was.
                if (await ledgers.RunAsync(attending.Token))
                {
                    // Out of hours it waits with its round: the site must not seem away all day.
                    if (!isUnsentSent && pace.IsOpen) await SendUnsentAsync(attending.Token);
                    isUnsentSent = true;
                    // Each time: where it could not be tried at the start, it may be another time.
                    var isolated = await trainer.CanIsolateAsync(attending.Token);
                    await foreach (var assignment in coordinator.AttendAsync(options.Value.Cohort.Labels.Keys, isolated, _state.Held, _state.InHand, attending.Token))
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
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Hung up, by the kill switch or after leaving a study. The coordinator says again what is to be done, at once or when the switch was released.
                continue;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogBrokeAttending(retry.TotalSeconds, error);
            }

            await Task.Delay(retry, time, cancellationToken);
            retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
        }
    }

    /// <summary>What the operator wants to know at the start. A trainer that can't even be started says so again in a round, and to the coordinator.</summary>
    private async Task LookAroundAsync(CancellationToken cancellationToken)
    {
        LogIsolation(await trainer.CanIsolateAsync(cancellationToken));
        try
        {
            await preflight.LogAsync(cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogNoPreflight(error);
        }
    }

    /// <summary>Sends what is left of an earlier start. One update that can't be sent keeps the site from no other run: it stays until the next start.</summary>
    private async Task SendUnsentAsync(CancellationToken cancellationToken)
    {
        try
        {
            await work.SendUnsentAsync(cancellationToken);
        }
        catch (Exception error) when (error is not (ConnectionLostException or IOException or OperationCanceledException))
        {
            LogUnsentBroke(error);
        }
    }

    private async Task TakeAsync(Assignment assignment, CancellationToken cancellationToken)
    {
        switch (assignment)
        {
            case Assignment.Round { Plan: var bytes, Signature: var signature }:
                if (PlanCheck.TryRead(bytes.Span) is not { } plan)
                {
                    LogUnreadablePlan(bytes.Length);
                    break;
                }

                await _inputs.Writer.WriteAsync(await work.JudgeAsync(plan, signature), cancellationToken);
                break;
            case Assignment.RunEnded { Run: var run }:
                LogRunEnded(run);
                await _inputs.Writer.WriteAsync(new AssignmentInput.RunEnded(run), cancellationToken);
                break;
        }
    }

    /// <summary>Has what the round added to both ledgers cosigned. Without a connection that waits for the next attendance.</summary>
    private async Task CosignAsync(CancellationToken cancellationToken)
    {
        // With the kill switch thrown nothing is said to anyone; the next attendance makes up for it.
        if (desk.Switch.Thrown.IsCancellationRequested) return;
        try
        {
            await ledgers.RunAsync(cancellationToken);
        }
        catch (Exception error) when (error is ConnectionLostException or IOException)
        {
            LogNotCosignedYet(error.Message);
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

    [LoggerMessage(409, LogLevel.Warning, "The kill switch is thrown: hung up, stopped training, dropped what waited")]
    private partial void LogHalted();

    [LoggerMessage(405, LogLevel.Error, "Could not store files of {Run} round {Round}: {Problem} Free space in the agent's data folder; it is tried again")]
    private partial void LogStorageFailed(RunId run, int round, string problem);

    [LoggerMessage(408, LogLevel.Error, "Could not look after what an earlier start left: {Problem}")]
    private partial void LogNotRecovered(string problem);

    [LoggerMessage(407, LogLevel.Error, "Could not discard what is left of {Run}: {Problem}")]
    private partial void LogNotFreed(RunId run, string problem);

    [LoggerMessage(427, LogLevel.Warning, "The connection to the coordinator broke in {Run} round {Round}: {Problem}. Trying again")]
    private partial void LogConnectionLost(RunId run, int round, string problem);

    [LoggerMessage(428, LogLevel.Error, "{Problem}")]
    private partial void LogBadModel(string problem);

    [LoggerMessage(480, LogLevel.Error, "Could not do {Step} of {Run} round {Round}; the round goes on without this site")]
    private partial void LogBroke(RunId run, int round, string step, Exception error);

    [LoggerMessage(481, LogLevel.Error, "Could not discard what is left of {Run}")]
    private partial void LogBrokeFreeing(RunId run, Exception error);

    [LoggerMessage(482, LogLevel.Error, "Could not attend at the coordinator. Trying again in {Seconds} s")]
    private partial void LogBrokeAttending(double seconds, Exception error);

    [LoggerMessage(483, LogLevel.Error, "Could not look at the cohort before the first round")]
    private partial void LogNoPreflight(Exception error);

    [LoggerMessage(484, LogLevel.Error, "Could not send what an earlier start had approved; it stays in the outbox until the next start")]
    private partial void LogUnsentBroke(Exception error);
}

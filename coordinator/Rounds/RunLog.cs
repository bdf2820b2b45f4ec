using FedSeg.Coordinator.Operations;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Rounds;

/// <summary>
/// Tells operators, in the log and in numbers, what was entered in the runs' journal: each entry once, whoever asked for it. Told by the
/// <see cref="RunBook"/>, because runner, people and uploads all make entries.
/// </summary>
internal sealed partial class RunLog(CoordinatorTelemetry telemetry, ILogger<RunLog> logger)
{
    /// <param name="run">The run with the entry.</param>
    /// <param name="entered">The entry; it is on the disk.</param>
    public void Tell(RunState run, RunEvent entered)
    {
        switch (entered)
        {
            case RunEvent.RoundOpened { Round: var number }:
                LogOpened(run.Id, number, run.OpenRound!.Plan.Task);
                break;
            case RunEvent.UpdateAccepted accepted:
                var bytes = accepted.Weights?.Bytes ?? 0;
                telemetry.Accepted(bytes, run.OpenRound!.Plan.UpdateBytesInFloat32() - bytes);
                LogAccepted(accepted.Report.Site, run.Id, bytes, accepted.Digest.Abbreviated);
                break;
            case RunEvent.PlanFrozen frozen:
                var survey = run.FingerprintRound!;
                telemetry.RoundClosed(run.Id, survey, frozen.At);
                LogPlanned(run.Id, survey.Accepted.Count, frozen.Sha256.Abbreviated, frozen.Plan.Cases, frozen.InitialModel.Bytes);
                break;
            case RunEvent.RoundClosed { Round: var number }:
                var round = run.Rounds[number - 1];
                telemetry.RoundClosed(run.Id, round, entered.At);
                LogClosed(run.Id, number, round.Accepted.Count, run.Job.Sites.Length, (entered.At - round.OpenedAt).TotalSeconds);
                break;
            case RunEvent.Paused paused:
                LogPaused(run.Id, paused.By);
                break;
            case RunEvent.Unpaused unpaused:
                LogUnpaused(run.Id, unpaused.By);
                break;
            case RunEvent.Ended ended:
                telemetry.RunEnded(ended.Outcome);
                LogEnded(run.Id, ended.Outcome, ended.Reason);
                break;
        }
    }

    [LoggerMessage(110, LogLevel.Information, "Opened round {Round} of {Run} to {Task}")]
    private partial void LogOpened(RunId run, int round, RoundTask task);

    [LoggerMessage(112, LogLevel.Information, "Closed round {Round} of {Run} with {Answers} of {Sites} sites after {Seconds:F1} s")]
    private partial void LogClosed(RunId run, int round, int answers, int sites, double seconds);

    [LoggerMessage(113, LogLevel.Information, "Ended {Run}: {Outcome}. {Reason}")]
    private partial void LogEnded(RunId run, RunOutcome outcome, string reason);

    [LoggerMessage(116, LogLevel.Information,
        "Planned the network of {Run} from {Fingerprints} fingerprints: plan {Plan} of {Cases} cases, a model of {Bytes} bytes")]
    private partial void LogPlanned(RunId run, int fingerprints, string plan, int cases, long bytes);

    [LoggerMessage(117, LogLevel.Information, "{Person} paused {Run}")]
    private partial void LogPaused(RunId run, string person);

    [LoggerMessage(118, LogLevel.Information, "{Person} let {Run} go on")]
    private partial void LogUnpaused(RunId run, string person);

    [LoggerMessage(120, LogLevel.Information, "Accepted an update of {Site} to {Run}: {Bytes} bytes of weights, digest {Digest}")]
    private partial void LogAccepted(SiteId site, RunId run, long bytes, string digest);
}

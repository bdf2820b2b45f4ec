using FedSeg.Egress;
using FedSeg.Egress.Imprint;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// One round at this site: check the plan, fetch the model, let the trainer work, hand its result to the egress gate, and send what the gate cleared.
/// Whatever goes wrong becomes a code that is cleared and sent like everything else.
/// </summary>
internal sealed partial class RoundWork(
    CoordinatorClient coordinator,
    TrainerHost trainer,
    EgressGate gate,
    IOptions<AgentOptions> options,
    TimeProvider time,
    ILogger<RoundWork> logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromSeconds(8);
    private readonly SiteId _site = SiteId.Parse(options.Value.Site);

    /// <summary>Does the round. Ends when the coordinator has an answer, or when the run ends first.</summary>
    public async Task DoAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var problems = PlanCheck.Problems(plan, options.Value.Cohort.Labels.Keys);
        if (problems.Count > 0)
        {
            LogPlanRefused(plan.Run, plan.Round, string.Join("; ", problems));
            await DeclineAsync(plan, DropReason.PlanRefused, cancellationToken);
            return;
        }

        // Cleared before a crash and not acknowledged: the same bytes go again, nothing is trained twice.
        var approved = await gate.PendingAsync(cancellationToken);
        if (approved.FirstOrDefault(update => update.Run == plan.Run && update.Round == plan.Round && update.Task == plan.Task) is { } pending)
        {
            await SendAsync(plan, pending, cancellationToken);
            return;
        }

        LogStarted(plan.Run, plan.Round, plan.Task);
        var model = ModelPath(plan.BaseModel);
        await RetryAsync(() => coordinator.DownloadModelAsync(plan.BaseModel, plan.BaseModelBytes, model, cancellationToken), cancellationToken);
        if (ImprintProblem(plan, model) is { } imprint)
        {
            LogModelRefused(plan.Run, plan.Round, imprint);
            await DeclineAsync(plan, DropReason.ModelRefused, cancellationToken);
            return;
        }

        using var folder = new WorkFolder(Path.Combine(options.Value.DataDirectory, "work", $"{plan.Run}-{plan.Round}"));
        var weights = Path.Combine(folder.Path, "update.safetensors");
        switch (await trainer.RunAsync(plan, model, weights, cancellationToken))
        {
            case TrainerEvent.Finished finished:
                LogTrained(plan.Run, plan.Round, finished.Steps, finished.Seconds);
                var update = new ModelUpdate(Report(plan, finished), plan.Task == RoundTask.Train ? weights : null);
                await ReviewAndSendAsync(plan, update, cancellationToken);
                break;
            case TrainerEvent.Failed failed:
                LogTrainerFailed(plan.Run, plan.Round, failed.Code);
                await DeclineAsync(plan, Reason(failed.Code), cancellationToken);
                break;
            case var other:
                throw new InvalidOperationException($"The trainer ended a round with {other.GetType().Name}.");
        }
    }

    /// <summary>Ends the run at this site: the trainer goes, and what was cleared but not sent is discarded, with an entry in the ledger.</summary>
    public async Task EndRunAsync(RunId run)
    {
        await trainer.CloseAsync(run);
        await gate.DiscardRunAsync(run);
    }

    private async Task ReviewAndSendAsync(RoundPlan plan, ModelUpdate update, CancellationToken cancellationToken)
    {
        switch (await gate.ClearAsync(plan, update, cancellationToken))
        {
            case EgressOutcome.Cleared { Update: var cleared }:
                await SendAsync(plan, cleared, cancellationToken);
                break;
            case EgressOutcome.Refused { Report: var report }:
                LogRefusedByPolicy(plan.Run, plan.Round, report.Summary);
                await DeclineAsync(plan, DropReason.RefusedByPolicy, cancellationToken);
                break;
        }
    }

    private async Task SendAsync(RoundPlan plan, ClearedUpdate update, CancellationToken cancellationToken)
    {
        UploadAnswer? answer = null;
        try
        {
            await RetryAsync(async () => answer = await coordinator.SendAsync(update, cancellationToken), cancellationToken);
        }
        catch (PayloadChangedException error)
        {
            LogPayloadChanged(error.Message);
            await gate.RecordFailedAsync(update, SendFailure.PayloadChanged);
            await DeclineAsync(plan, DropReason.TrainerFault, cancellationToken);
            return;
        }

        await gate.RecordSentAsync(update, answer!.Accepted ? SendReceipt.Accepted : SendReceipt.RefusedByCoordinator);
        if (answer.Accepted)
        {
            LogSent(plan.Run, plan.Round, update.PayloadBytes, update.Digest.Abbreviated);
        }
        else
        {
            LogRefusedByCoordinator(plan.Run, plan.Round, answer.Refusal);
            await DeclineAsync(plan, DropReason.UpdateRefused, cancellationToken);
        }
    }

    private async Task DeclineAsync(RoundPlan plan, DropReason reason, CancellationToken cancellationToken)
    {
        switch (await gate.ClearNoticeAsync(new OutcomeNotice(plan.Run, plan.Round, reason), cancellationToken))
        {
            case NoticeOutcome.Cleared { Notice: var notice }:
                await RetryAsync(() => coordinator.DeclineAsync(notice, cancellationToken), cancellationToken);
                await gate.RecordSentAsync(notice);
                break;
            case NoticeOutcome.Refused { Report: var report }:
                LogNoticeRefused(plan.Run, plan.Round, report.Summary);
                break;
        }
    }

    /// <summary>Tries again after every broken connection, for as long as the run goes on: hours offline lose nothing.</summary>
    private async Task RetryAsync(Func<Task> attempt, CancellationToken cancellationToken)
    {
        for (var wait = FirstRetry; ; wait = wait * 2 < LongestRetry ? wait * 2 : LongestRetry)
        {
            try
            {
                await attempt();
                return;
            }
            catch (ConnectionLostException error)
            {
                LogRetry(error.Message, wait.TotalSeconds);
            }
            catch (InvalidDataException error)
            {
                LogBadModel(error.Message);
            }

            await Task.Delay(wait, time, cancellationToken);
        }
    }

    private SiteReport Report(RoundPlan plan, TrainerEvent.Finished finished) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Task = plan.Task,
        Site = _site,
        Plan = Sha256Digest.Of(plan.ToBytes()),
        BaseModel = plan.BaseModel,
        TrainingCases = plan.Task == RoundTask.Train ? finished.TrainingCases : 0,
        HeldBackCases = finished.HeldBackCases,
        Cohort = finished.Cohort,
        Steps = finished.Steps,
        MeanLoss = finished.MeanLoss,
        Scores = finished.Scores,
    };

    private static string? ImprintProblem(RoundPlan plan, string modelPath)
    {
        try
        {
            using var model = SafetensorsFile.Open(modelPath);
            if (plan.Manifest().FirstDifference(model.Tensors) is not null) return "its tensors are not the plan's";
            return EqualRows.Problem(model, plan.Manifest());
        }
        catch (SafetensorsException)
        {
            return "it is not a plain safetensors file";
        }
    }

    private string ModelPath(Sha256Digest model)
    {
        var folder = Directory.CreateDirectory(Path.Combine(options.Value.DataDirectory, "models")).FullName;
        return Path.Combine(folder, model + ".safetensors");
    }

    private static DropReason Reason(TrainerFailure failure) => failure switch
    {
        TrainerFailure.TooFewCases => DropReason.TooFewCases,
        TrainerFailure.LabelNotFound => DropReason.LabelNotFound,
        TrainerFailure.NotFinite => DropReason.NotFinite,
        TrainerFailure.OutOfMemory => DropReason.OutOfMemory,
        TrainerFailure.ModelRefused => DropReason.ModelRefused,
        TrainerFailure.Crashed => DropReason.TrainerCrashed,
        _ => DropReason.TrainerFault,
    };

    [LoggerMessage(420, LogLevel.Error, "Refused the plan of {Run} round {Round}: {Problems}")]
    private partial void LogPlanRefused(RunId run, int round, string problems);

    [LoggerMessage(421, LogLevel.Information, "Started {Run} round {Round}: {Task}")]
    private partial void LogStarted(RunId run, int round, RoundTask task);

    [LoggerMessage(422, LogLevel.Information, "Trainer finished {Run} round {Round}: {Steps} steps in {Seconds:F1} s")]
    private partial void LogTrained(RunId run, int round, int steps, double seconds);

    [LoggerMessage(423, LogLevel.Error, "Trainer failed in {Run} round {Round}: {Code}; reports/trainer.txt in the agent's data folder says more")]
    private partial void LogTrainerFailed(RunId run, int round, TrainerFailure code);

    [LoggerMessage(424, LogLevel.Warning, "The egress policy refused the update of {Run} round {Round}: {Report}")]
    private partial void LogRefusedByPolicy(RunId run, int round, string report);

    [LoggerMessage(425, LogLevel.Information, "Sent the update of {Run} round {Round}: {Bytes} bytes of weights, digest {Digest}")]
    private partial void LogSent(RunId run, int round, long bytes, string digest);

    [LoggerMessage(426, LogLevel.Error, "The coordinator refused the update of {Run} round {Round}: {Refusal}")]
    private partial void LogRefusedByCoordinator(RunId run, int round, string refusal);

    [LoggerMessage(427, LogLevel.Warning, "The connection to the coordinator broke: {Problem}. Trying again in {Seconds} s")]
    private partial void LogRetry(string problem, double seconds);

    [LoggerMessage(429, LogLevel.Error, "{Problem}")]
    private partial void LogPayloadChanged(string problem);

    [LoggerMessage(430, LogLevel.Warning, "Not even a notice may leave for {Run} round {Round}: {Report}")]
    private partial void LogNoticeRefused(RunId run, int round, string report);

    [LoggerMessage(431, LogLevel.Error, "Refused the model of {Run} round {Round}: {Problem}")]
    private partial void LogModelRefused(RunId run, int round, string problem);

    [LoggerMessage(428, LogLevel.Error, "{Problem}")]
    private partial void LogBadModel(string problem);
}

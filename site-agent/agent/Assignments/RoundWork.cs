using System.Collections.Concurrent;
using FedSeg.Egress;
using FedSeg.Egress.Imprint;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Hosting.Faults;
using FedSeg.SiteAgent.Coordinator;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Assignments;

/// <summary>
/// The steps of a round at this site, as <see cref="AssignmentProtocol"/> orders them: fetch the model, let the trainer work, hand its result to the egress gate, and
/// send what the gate cleared. One step at a time.
/// </summary>
internal sealed partial class RoundWork(
    CoordinatorClient coordinator,
    TrainerHost trainer,
    EgressGate gate,
    Failpoints failpoints,
    BlindContribution blind,
    ReadySlots slots,
    TimeProvider time,
    IOptions<AgentOptions> options,
    ILogger<RoundWork> logger) : IDisposable
{
    private readonly SiteId _site = SiteId.Parse(options.Value.Site);
    private readonly RunFolders _folders = new(options.Value.DataDirectory);
    private readonly PatientRecords _patients = new(DeskClient.FolderOf(options.Value.DataDirectory));
    private readonly string _work = Path.Combine(options.Value.DataDirectory, "work");

    /// <summary>The newest that came in, by run: a plan may wait here for longer than the signature it came with.</summary>
    private readonly ConcurrentDictionary<RunId, PlanSignature> _signatures = new();
    private (RunId Run, WorkFolder Folder)? _folder;
    private ApprovedPlan? _approved;
    private ClearedUpdate? _update;

    /// <summary>What left in the update's place, in a blind round.</summary>
    private ClearedUpdate? _masked;
    private ClearedNotice? _notice;

    /// <summary>Whether this site believes a plan that came in, and does what it asks.</summary>
    /// <returns>What the agent learns by it.</returns>
    /// <exception cref="IOException">Disk or ledger refused.</exception>
    public async Task<AssignmentInput> JudgeAsync(RoundPlan plan, PlanSignature signature)
    {
        switch (await gate.FindFlawAsync(Signed(plan, signature)))
        {
            case (PlanFlaw.NotYet or PlanFlaw.Expired) and var flaw:
                LogPlanUntimely(plan.Run, plan.Round, flaw);
                return new AssignmentInput.PlanUntimely();
            case { } flaw:
                LogPlanUnproven(plan.Run, plan.Round, flaw);
                return new AssignmentInput.RoundAssigned(plan, Approved: false);
        }

        _signatures[plan.Run] = signature;
        var problems = PlanCheck.Problems(plan, options.Value.Cohort.Labels.Keys);
        if (problems.Count > 0) LogPlanRefused(plan.Run, plan.Round, string.Join("; ", problems));
        return new AssignmentInput.RoundAssigned(plan, Approved: problems.Count == 0);
    }

    /// <summary>Cleans up after a kill: what a trainer had written goes.</summary>
    /// <returns>Runs with an update that was approved and not sent, or that waits for a person, or of which files are here. They may have ended meanwhile.</returns>
    public async Task<IReadOnlyList<RunId>> RecoverAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(_work)) Directory.Delete(_work, recursive: true);
        // Left, and then the machine went down before everything was wiped.
        foreach (var run in gate.Desk.LeftRuns) _folders.Wipe(run);
        return [.. (await gate.PendingAsync(cancellationToken)).Select(update => update.Run).Concat(gate.Desk.WaitingRuns).Concat(_folders.Runs).Distinct()];
    }

    /// <summary>
    /// Sends what an earlier start approved and did not record as sent, and records the answer. The coordinator may have it: then it counts it once, and asks for it no more.
    /// When the hours for it end, the rest waits for its round: a site must not be away because of an update until the next night.
    /// </summary>
    /// <exception cref="ConnectionLostException">The connection broke; the rest is still to be sent.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    public async Task SendUnsentAsync(CancellationToken cancellationToken)
    {
        // What still has to be masked needs its round and the other sites.
        foreach (var update in (await gate.PendingAsync(cancellationToken)).Where(update => !update.MustBeMasked))
        {
            try
            {
                if (await failpoints.AroundAsync(RoundSteps.Upload, () => coordinator.TrySendAsync(update, cancellationToken)) is not { } answer) return;
                await RecordSentAsync(update, Delivered(update, answer).Accepted);
            }
            catch (PayloadChangedException error)
            {
                LogPayloadChanged(error.Message);
                await RecordChangedAsync(update);
            }
        }
    }

    /// <summary>Does a step and says how it ended.</summary>
    /// <exception cref="ConnectionLostException">The connection broke; do it again.</exception>
    /// <exception cref="InvalidDataException">What came over it is not the declared model; do it again.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    public Task<AssignmentInput> DoAsync(AssignmentEffect.Work step, CancellationToken cancellationToken) => step switch
    {
        AssignmentEffect.Recall recall => RecallAsync(recall.Plan, cancellationToken),
        AssignmentEffect.FetchModel fetch => FetchModelAsync(fetch.Plan, cancellationToken),
        AssignmentEffect.Train train => TrainAsync(train.Plan, cancellationToken),
        AssignmentEffect.ClearUpdate clear => ClearAsync(clear.Plan, clear.Update, cancellationToken),
        AssignmentEffect.SendUpdate send => SendAsync(send.Plan, Cleared(send.Update), cancellationToken),
        AssignmentEffect.RecordSent sent => RecordSentAsync(_masked ?? Cleared(sent.Update), sent.Accepted),
        AssignmentEffect.RecordEnded ended => RecordEndedAsync(Cleared(ended.Update)),
        AssignmentEffect.RecordChanged changed => RecordChangedAsync(Cleared(changed.Update)),
        AssignmentEffect.ClearNotice clear => ClearNoticeAsync(new OutcomeNotice(clear.Plan.Run, clear.Plan.Round, clear.Reason), cancellationToken),
        AssignmentEffect.SendNotice => SendNoticeAsync(_notice!, cancellationToken),
        AssignmentEffect.RecordNotice => RecordNoticeAsync(_notice!),
        _ => throw new InvalidOperationException($"{step.GetType().Name} is not a step of the round itself."),
    };

    /// <summary>Ends the run at this site: the trainer goes, and what was cleared but not sent is discarded, with an entry in the ledger.</summary>
    public async Task EndRunAsync(RunId run)
    {
        await StopRunAsync(run);
        await gate.DiscardRunAsync(run);
        _folders.End(run);
        if (HasLeft(run)) _folders.Wipe(run);
    }

    /// <summary>Ends the run's trainer, and what it was at is gone. What was cleared but not sent, whoever stopped the site has discarded.</summary>
    public async Task StopRunAsync(RunId run)
    {
        await trainer.CloseAsync(run);
        _signatures.TryRemove(run, out _);
        if (_folder?.Run == run) DropFolder();
    }

    /// <summary>Whether the run is of a study that this site has left.</summary>
    public bool HasLeft(RunId run) => gate.Desk.LeftRuns.Contains(run);

    public void Dispose() => DropFolder();

    private async Task<AssignmentInput> RecallAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        switch (await gate.RecallAsync(plan, cancellationToken))
        {
            case EgressOutcome.Cleared { Update: var update }:
                _update = update;
                return new AssignmentInput.Recalled(update.Digest);
            case EgressOutcome.Waiting { Update: var update, Until: var until }:
                LogWaiting(plan.Run, plan.Round, update.Abbreviated, until);
                return new AssignmentInput.AwaitsReview();
            case EgressOutcome.RefusedInReview { Reason: var reason }:
                LogRefusedInReview(plan.Run, plan.Round, reason);
                return new AssignmentInput.RefusedByPeople(reason == RefusalReason.Expired ? DropReason.ReviewExpired : DropReason.RefusedInReview);
            case null when gate.Desk.IsPaused:
                return new AssignmentInput.RefusedByPeople(DropReason.SitePaused);
            default:
                return await ApprovePlanAsync(plan);
        }
    }

    private async Task<AssignmentInput> ApprovePlanAsync(RoundPlan plan)
    {
        switch (await gate.ApprovePlanAsync(Signed(plan, _signatures.GetValueOrDefault(plan.Run, PlanSignature.None))))
        {
            case PlanOutcome.Approved { Plan: var approved }:
                _approved = approved;
                return new AssignmentInput.Recalled(Update: null);
            case PlanOutcome.Waiting { Terms: var terms, Until: var until }:
                LogPlanWaiting(plan.Run, terms.Abbreviated, until);
                return new AssignmentInput.AwaitsReview();
            case PlanOutcome.Refused { Reason: var reason }:
                LogPlanRefusedByPeople(plan.Run, reason);
                return new AssignmentInput.RefusedByPeople(reason == RefusalReason.Expired ? DropReason.ReviewExpired : DropReason.PlanRefused);
            case PlanOutcome.OutsideCharter { Problem: var problem }:
                LogOutsideCharter(plan.Run, problem);
                return new AssignmentInput.RefusedByPeople(DropReason.PlanRefused);
            case PlanOutcome.Repeated { Problem: var problem }:
                LogRepeated(plan.Run, plan.Round, problem);
                return new AssignmentInput.RefusedByPeople(DropReason.PlanRefused);
            case PlanOutcome.Unproven { Flaw: var flaw }:
                LogPlanLapsed(plan.Run, plan.Round, flaw);
                return new AssignmentInput.Lapsed();
            case var other:
                throw new InvalidOperationException($"The gate answered a plan with {other.GetType().Name}.");
        }
    }

    private async Task<AssignmentInput> FetchModelAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        LogStarted(plan.Run, plan.Round, plan.Task);
        _folders.DropModels(plan.Run, but: plan.Control is null ? [plan.BaseModel] : [plan.BaseModel, plan.Control.Sha256]);
        var model = _folders.Model(plan.Run, plan.BaseModel);
        failpoints.Hit(Failpoints.Before(RoundSteps.Download));
        await coordinator.DownloadModelAsync(plan.BaseModel, plan.BaseModelBytes, model, cancellationToken);
        failpoints.Hit(Failpoints.After(RoundSteps.Download));
        if (plan.Control is { } control)
        {
            await coordinator.DownloadModelAsync(control.Sha256, control.Bytes, _folders.Model(plan.Run, control.Sha256), cancellationToken);
        }

        if (ImprintProblem(plan, model) is not { } imprint) return new AssignmentInput.ModelFetched();
        LogModelRefused(plan.Run, plan.Round, imprint);
        return new AssignmentInput.ModelRefused();
    }

    private async Task<AssignmentInput> TrainAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        var outcome = await (plan.Task == RoundTask.Fingerprint ? FingerprintAsync(plan, cancellationToken) : TrainNetworkAsync(plan, cancellationToken));
        // Before anything is heard of it, a failure or that a person is asked included.
        await slots.HoldAsync(begun, cancellationToken);
        return outcome;
    }

    private async Task<AssignmentInput> FingerprintAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        LogStarted(plan.Run, plan.Round, plan.Task);
        switch (await failpoints.AroundAsync(RoundSteps.Train, () => trainer.FingerprintAsync(Approved(plan), _patients.PathOf(plan.Run, plan.Round), cancellationToken)))
        {
            case TrainerEvent.Fingerprinted { Fingerprint: var fingerprint }:
                return new AssignmentInput.Trained(new ModelUpdate(SiteReport.Of(plan, _site, fingerprint), WeightsPath: null));
            case TrainerEvent.Failed { Code: TrainerFailure.Storage }:
                throw new IOException("the trainer could not read or write its files");
            case TrainerEvent.Failed failed:
                LogTrainerFailed(plan.Run, plan.Round, failed.Code);
                return new AssignmentInput.TrainingFailed(Reason(failed.Code));
            case var other:
                throw new InvalidOperationException($"The trainer ended a fingerprint with {other.GetType().Name}.");
        }
    }

    private async Task<AssignmentInput> TrainNetworkAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        DropFolder();
        var folder = new WorkFolder(Path.Combine(_work, $"{plan.Run}-{plan.Round}"));
        _folder = (plan.Run, folder);
        var weights = Path.Combine(folder.Path, "update.safetensors");
        var state = _folders.State(plan.Run);
        var residuals = new ResidualFiles(state);
        residuals.DropUnsent();
        var run = new TrainerCommand.Run
        {
            Plan = plan,
            ModelPath = _folders.Model(plan.Run, plan.BaseModel),
            UpdatePath = weights,
            ControlPath = plan.Control is { } control ? _folders.Model(plan.Run, control.Sha256) : null,
            ResidualPath = plan is { Task: RoundTask.Train, Recipe.ErrorFeedback: true } ? residuals.FindBefore(plan.Round) : null,
            StateDirectory = state,
            PatientsPath = _patients.PathOf(plan.Run, plan.Round),
            PersonalModelPath = plan.Task == RoundTask.Evaluate && plan.Recipe.MakesPersonalModel ? _folders.PersonalModel(plan.Run) : null,
        };
        switch (await failpoints.AroundAsync(RoundSteps.Train, () => trainer.RunAsync(Approved(plan), run, cancellationToken)))
        {
            case TrainerEvent.Finished finished:
                LogTrained(plan.Run, plan.Round, finished.Steps, finished.Seconds, finished.DataWaitShare ?? 0);
                foreach (var score in finished.PersonalScores) LogPersonalScore(plan.Run, score.Label, score.MeanDice ?? double.NaN, score.Cases);
                if (finished.Privacy is { } spent) LogPrivacySpent(plan.Run, plan.Round, spent.Epsilon, spent.Delta, spent.SamplingRate, spent.NoiseMultiplier, spent.Steps);
                var delivered = plan.Task == RoundTask.Train ? weights : null;
                return new AssignmentInput.Trained(new ModelUpdate(Report(plan, finished), delivered, _folders.Model(plan.Run, plan.BaseModel))
                {
                    Privacy = finished.Privacy,
                    Similarity = finished.Similarity,
                    ResidualPath = residuals.UnsentPath(plan.Round),
                });
            case TrainerEvent.Failed { Code: TrainerFailure.Storage }:
                throw new IOException("the trainer could not read or write its files");
            case TrainerEvent.Failed failed:
                LogTrainerFailed(plan.Run, plan.Round, failed.Code);
                DropFolder();
                return new AssignmentInput.TrainingFailed(Reason(failed.Code));
            case var other:
                throw new InvalidOperationException($"The trainer ended a round with {other.GetType().Name}.");
        }
    }

    private async Task<AssignmentInput> ClearAsync(RoundPlan plan, ModelUpdate update, CancellationToken cancellationToken)
    {
        try
        {
            switch (await gate.ClearAsync(plan, update, cancellationToken))
            {
                case EgressOutcome.Cleared { Update: var cleared }:
                    _update = cleared;
                    return new AssignmentInput.UpdateCleared(cleared.Digest);
                case EgressOutcome.Waiting { Update: var waiting, Until: var until }:
                    LogWaiting(plan.Run, plan.Round, waiting.Abbreviated, until);
                    return new AssignmentInput.AwaitsReview();
                case EgressOutcome.Refused { Report: var report }:
                    LogRefusedByPolicy(plan.Run, plan.Round, report.Summary);
                    new ResidualFiles(_folders.StatePath(plan.Run)).DropUnsent();
                    return new AssignmentInput.UpdateRefused();
                case var other:
                    throw new InvalidOperationException($"The gate answered an update with {other.GetType().Name}.");
            }
        }
        finally
        {
            DropFolder();
        }
    }

    private Task<AssignmentInput> SendAsync(RoundPlan plan, ClearedUpdate update, CancellationToken cancellationToken)
    {
        _masked = null;
        return NoteChangeAsync(() =>
            plan.MasksUpdates ? SendMaskedAsync(plan, update, cancellationToken) : SendAsync(update, cancellationToken));
    }

    private async Task<AssignmentInput> SendAsync(ClearedUpdate update, CancellationToken cancellationToken) =>
        Delivered(update, await failpoints.AroundAsync(RoundSteps.Upload, () => coordinator.SendAsync(update, cancellationToken)));

    private async Task<AssignmentInput> SendMaskedAsync(RoundPlan plan, ClearedUpdate update, CancellationToken cancellationToken)
    {
        switch (await blind.ContributeAsync(plan, update, cancellationToken))
        {
            case BlindResult.Delivered { Update: var masked, Answer: var answer }:
                _masked = masked;
                return Delivered(masked, answer);
            case BlindResult.Ended { Reason: var reason }:
                return new AssignmentInput.ExchangeEnded(reason);
            case var other:
                throw new InvalidOperationException($"A blind exchange ended with {other.GetType().Name}.");
        }
    }

    private async Task<AssignmentInput> NoteChangeAsync(Func<Task<AssignmentInput>> sending)
    {
        try
        {
            return await sending();
        }
        catch (PayloadChangedException error)
        {
            LogPayloadChanged(error.Message);
            return new AssignmentInput.PayloadChanged();
        }
    }

    private AssignmentInput.Delivered Delivered(ClearedUpdate update, UploadAnswer answer)
    {
        if (answer.Accepted) LogSent(update.Run, update.Round, update.PayloadBytes, update.Digest.Abbreviated);
        else LogRefusedByCoordinator(update.Run, update.Round, answer.Refusal);
        return new AssignmentInput.Delivered(answer.Accepted);
    }

    private async Task<AssignmentInput> RecordEndedAsync(ClearedUpdate update)
    {
        await gate.RecordFailedAsync(update, SendFailure.ExchangeEnded);
        return new AssignmentInput.Recorded();
    }

    private async Task<AssignmentInput> RecordSentAsync(ClearedUpdate update, bool accepted)
    {
        // Before the ledger says that it is done: after a crash it is sent again and comes here again.
        if (accepted)
        {
            new ResidualFiles(_folders.StatePath(update.Run)).Keep(update.Round);
            _folders.KeepControl(update.Run, update.Round);
        }

        await gate.RecordSentAsync(update, accepted ? SendReceipt.Accepted : SendReceipt.RefusedByCoordinator);
        return new AssignmentInput.Recorded();
    }

    private async Task<AssignmentInput> RecordChangedAsync(ClearedUpdate update)
    {
        await gate.RecordFailedAsync(update, SendFailure.PayloadChanged);
        return new AssignmentInput.Recorded();
    }

    private async Task<AssignmentInput> ClearNoticeAsync(OutcomeNotice notice, CancellationToken cancellationToken)
    {
        switch (await gate.ClearNoticeAsync(notice, cancellationToken))
        {
            case NoticeOutcome.Cleared cleared:
                _notice = cleared.Notice;
                return new AssignmentInput.NoticeCleared();
            case NoticeOutcome.Refused { Report: var report }:
                LogNoticeRefused(notice.Run, notice.Round, report.Summary);
                return new AssignmentInput.NoticeRefused();
            case var other:
                throw new InvalidOperationException($"The gate answered a notice with {other.GetType().Name}.");
        }
    }

    private async Task<AssignmentInput> SendNoticeAsync(ClearedNotice notice, CancellationToken cancellationToken)
    {
        await coordinator.TellAsync(notice, cancellationToken);
        return new AssignmentInput.Delivered(Accepted: true);
    }

    private async Task<AssignmentInput> RecordNoticeAsync(ClearedNotice notice)
    {
        await gate.RecordSentAsync(notice);
        return new AssignmentInput.Recorded();
    }

    private SignedPlan Signed(RoundPlan plan, PlanSignature signature) => new() { Plan = plan, Site = _site, Signature = signature };

    private ApprovedPlan Approved(RoundPlan plan) =>
        _approved is { } approved && approved.Plan == plan ? approved : throw new InvalidOperationException($"The plan of {plan.Run} round {plan.Round} was not approved.");

    private ClearedUpdate Cleared(Sha256Digest digest) =>
        _update is { } update && update.Digest == digest ? update : throw new InvalidOperationException($"Update {digest.Abbreviated} was not cleared.");

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

    /// <summary>What the trainer wrote must not outlive the step that reads it.</summary>
    private void DropFolder()
    {
        _folder?.Folder.Dispose();
        _folder = null;
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

    [LoggerMessage(448, LogLevel.Error, "Refused the plan of {Run} round {Round}, because nobody whose word counts has ordered it: {Flaw}")]
    private partial void LogPlanUnproven(RunId run, int round, PlanFlaw flaw);

    [LoggerMessage(
        419,
        LogLevel.Error,
        "The signature of the plan of {Run} round {Round} does not count now: {Flaw}. Set this machine's clock, or have the coordinator's set; it is asked for again")]
    private partial void LogPlanUntimely(RunId run, int round, PlanFlaw flaw);

    [LoggerMessage(449, LogLevel.Warning, "The plan of {Run} round {Round} has waited for longer than its signature counts: {Flaw}. Asked for another one")]
    private partial void LogPlanLapsed(RunId run, int round, PlanFlaw flaw);

    [LoggerMessage(421, LogLevel.Information, "Started {Run} round {Round}: {Task}")]
    private partial void LogStarted(RunId run, int round, RoundTask task);

    [LoggerMessage(422, LogLevel.Information, "Trainer finished {Run} round {Round}: {Steps} steps in {Seconds:F1} s, {DataWaitShare:P1} of the training spent waiting for patches")]
    private partial void LogTrained(RunId run, int round, int steps, double seconds, double dataWaitShare);

    [LoggerMessage(423, LogLevel.Error, "Trainer failed in {Run} round {Round}: {Code}; reports/trainer.txt in the agent's data folder says more")]
    private partial void LogTrainerFailed(RunId run, int round, TrainerFailure code);

    [LoggerMessage(424, LogLevel.Warning, "The egress policy refused the update of {Run} round {Round}: {Report}")]
    private partial void LogRefusedByPolicy(RunId run, int round, string report);

    [LoggerMessage(432, LogLevel.Information, "The update {Update} of {Run} round {Round} waits for a person's review until {Until:u}")]
    private partial void LogWaiting(RunId run, int round, string update, DateTimeOffset until);

    [LoggerMessage(434, LogLevel.Information, "{Run} wants to train here; its terms {Terms} wait for a person's approval until {Until:u}")]
    private partial void LogPlanWaiting(RunId run, string terms, DateTimeOffset until);

    [LoggerMessage(435, LogLevel.Warning, "{Run} may not train here: {Reason}")]
    private partial void LogPlanRefusedByPeople(RunId run, RefusalReason reason);

    [LoggerMessage(436, LogLevel.Warning, "{Run} may not train here, no charter that this hospital accepted covers it: {Problem}")]
    private partial void LogOutsideCharter(RunId run, string problem);

    [LoggerMessage(439, LogLevel.Warning, "{Run} round {Round} is not answered: {Problem}")]
    private partial void LogRepeated(RunId run, int round, string problem);

    [LoggerMessage(433, LogLevel.Warning, "The update of {Run} round {Round} was refused in review: {Reason}")]
    private partial void LogRefusedInReview(RunId run, int round, RefusalReason reason);

    [LoggerMessage(425, LogLevel.Information, "Sent the update of {Run} round {Round}: {Bytes} bytes of weights, digest {Digest}")]
    private partial void LogSent(RunId run, int round, long bytes, string digest);

    [LoggerMessage(426, LogLevel.Error, "The coordinator refused the update of {Run} round {Round}: {Refusal}")]
    private partial void LogRefusedByCoordinator(RunId run, int round, string refusal);

    [LoggerMessage(429, LogLevel.Error, "{Problem}")]
    private partial void LogPayloadChanged(string problem);

    [LoggerMessage(430, LogLevel.Warning, "Not even a notice may leave for {Run} round {Round}: {Report}")]
    private partial void LogNoticeRefused(RunId run, int round, string report);

    [LoggerMessage(431, LogLevel.Error, "Refused the model of {Run} round {Round}: {Problem}")]
    private partial void LogModelRefused(RunId run, int round, string problem);

    [LoggerMessage(437, LogLevel.Information, "This site's own model of {Run} segments {Label} with Dice {Dice:F3} on {Cases} held-back cases; it stays here")]
    private partial void LogPersonalScore(RunId run, string label, double dice, int cases);

    [LoggerMessage(438, LogLevel.Information, "{Run} round {Round} cost every patient epsilon {Epsilon:F3} at delta {Delta}: sampling rate {Rate:F4}, noise {Noise:F3}, {Steps} steps")]
    private partial void LogPrivacySpent(RunId run, int round, double epsilon, double delta, double rate, double noise, int steps);
}

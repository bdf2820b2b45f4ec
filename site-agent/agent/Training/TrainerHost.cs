using System.Collections.Immutable;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.SiteAgent.Assignments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Training;

/// <summary>
/// One trainer process at a time, started for a run and kept through its rounds so that the cohort is read once; ended with the run, replaced after a crash.
/// </summary>
internal sealed partial class TrainerHost(IOptions<AgentOptions> options, TimeProvider time, ILogger<TrainerHost> logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private TrainerIsolation? _isolation;
    private TrainerProcess? _process;
    private readonly DeskClient _desk = new(options.Value.DataDirectory, time);
    private RoundPlan? _openFor;

    /// <summary>Whom the open cohort leaves out.</summary>
    private Sha256Digest _openWithout;

    /// <summary>Finds out how a trainer can be cut off from the network.</summary>
    internal Func<CancellationToken, Task<TrainerIsolation>> Detect { private get; init; } = TrainerIsolation.DetectAsync;

    /// <summary>Whether this system lets the trainer be cut off from the network; tried until it does.</summary>
    public async Task<bool> CanIsolateAsync(CancellationToken cancellationToken) => (await IsolationAsync(cancellationToken)).IsIsolated;

    /// <summary>What a preflight says about single studies, for the site's operator.</summary>
    public string PreflightReportPath => Path.Combine(Reports().FullName, "preflight.json");

    /// <summary>Lets a trainer of its own look at every study of the cohort; details go to <see cref="PreflightReportPath"/>.</summary>
    /// <returns>Surveyed, or Failed with the reason.</returns>
    public async Task<TrainerEvent> PreflightAsync(CancellationToken cancellationToken)
    {
        if (await StartAsync(cancellationToken) is not { } process) return NotIsolated;
        await using (process)
        {
            var command = new TrainerCommand.Preflight
            {
                CohortDirectory = options.Value.Cohort.Directory,
                LabelAliases = LabelAliases(),
                Patients = Patients(),
                ReportPath = PreflightReportPath,
                AllowHtj2k = options.Value.Cohort.AllowHtj2k,
                Threads = Threads,
            };
            return await process.DoAsync(command, _ => { }, cancellationToken);
        }
    }

    /// <summary>Lets a trainer of its own count what a network is planned by.</summary>
    /// <param name="approved">The fingerprint round's plan.</param>
    /// <param name="patientsPath">Where it notes whom it counted.</param>
    /// <param name="cancellationToken">Ends the trainer.</param>
    /// <returns>Fingerprinted, or Failed with the reason.</returns>
    public async Task<TrainerEvent> FingerprintAsync(ApprovedPlan approved, string patientsPath, CancellationToken cancellationToken)
    {
        if (await StartAsync(cancellationToken) is not { } process) return NotIsolated;
        await using (process)
        {
            var command = new TrainerCommand.Fingerprint
            {
                CohortDirectory = options.Value.Cohort.Directory,
                LabelAliases = LabelAliases(),
                Plan = approved.Plan,
                Patients = Patients(),
                PatientsPath = patientsPath,
                AllowHtj2k = options.Value.Cohort.AllowHtj2k,
                Threads = Threads,
            };
            return await process.DoAsync(command, _ => { }, cancellationToken);
        }
    }

    /// <summary>Does a round's task in the trainer; starts it again where it died after a checkpoint.</summary>
    /// <returns>Finished, or Failed with the reason.</returns>
    public async Task<TrainerEvent> RunAsync(ApprovedPlan approved, TrainerCommand.Run run, CancellationToken cancellationToken)
    {
        if (run.Plan != approved.Plan) throw new ArgumentException("Another plan was approved.", nameof(run));
        var progress = new Progress(run.CheckpointEverySteps);
        while (true)
        {
            var before = progress.Checkpoints;
            var (outcome, died) = await TryAsync(run, progress, cancellationToken);
            if (outcome is TrainerEvent.Finished && _openWithout != Patients().WithdrawnHash)
            {
                LogWithdrawn(run.Plan.Run, run.Plan.Round);
                progress = new Progress(run.CheckpointEverySteps);
                continue;
            }

            // A trainer that died goes on from its last checkpoint. One that wrote none further on than the last one did would die again.
            if (!died || progress.Checkpoints <= before) return outcome;
            LogRestarting(run.Plan.Run, run.Plan.Round, progress.Step, progress.OwnStep);
        }
    }

    private async Task<(TrainerEvent Outcome, bool Died)> TryAsync(
        TrainerCommand.Run run, Progress progress, CancellationToken cancellationToken)
    {
        try
        {
            if (await OpenAsync(run, cancellationToken) is TrainerEvent.Failed failed) return (failed, false);
            var process = _process!;
            var outcome = await process.DoAsync(
                // Gone where somebody withdrew meanwhile.
                File.Exists(run.ResidualPath) ? run : run with { ResidualPath = null },
                step =>
                {
                    progress.Add(step);
                    if (step is { Step: > 0, Own: false }) LogStep(run.Plan.Round, step.Step, step.Steps);
                },
                cancellationToken);
            return (outcome, process.HasExited);
        }
        finally
        {
            if (_process is { HasExited: true }) await CloseAsync();
        }
    }

    /// <summary>Ends the trainer of a run; one that works for another run goes on.</summary>
    public Task CloseAsync(RunId run) => LetGoAsync(only: run);

    /// <summary>Ends the trainer, if there is one.</summary>
    public Task CloseAsync() => LetGoAsync(only: null);

    private async Task LetGoAsync(RunId? only)
    {
        TrainerProcess? process;
        // Looked at and let go of in one step: a run that ends while another one's trainer is to be started must not take that for its own.
        lock (_gate)
        {
            if (only is not null && _openFor?.Run != only) return;
            (process, _process, _openFor) = (_process, null, null);
        }

        if (process is not null) await process.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    /// <summary>Starts a trainer for the plan's run and lets it read the cohort, unless one already has.</summary>
    private async Task<TrainerEvent.Failed?> OpenAsync(TrainerCommand.Run run, CancellationToken cancellationToken)
    {
        var plan = run.Plan;
        var patients = Patients();
        if (_openFor?.Run == plan.Run && _openWithout == patients.WithdrawnHash && _process is { HasExited: false }) return null;
        await CloseAsync();
        if (run.StateDirectory is { } kept) RunFolders.Prepare(kept, plan.Round, patients);

        if (await StartAsync(cancellationToken) is not { } process) return NotIsolated;
        _process = process;
        var answer = await process.DoAsync(
            new TrainerCommand.Open
            {
                CohortDirectory = options.Value.Cohort.Directory,
                LabelAliases = LabelAliases(),
                Plan = plan,
                Patients = patients,
                CacheDirectory = run.StateDirectory is { } state ? RunFolders.CasesIn(state) : null,
                SplitPath = run.StateDirectory is { } own ? RunFolders.SplitIn(own) : null,
                CohortReportPath = Path.Combine(Reports().FullName, "cohort.json"),
                AllowHtj2k = options.Value.Cohort.AllowHtj2k,
                Device = options.Value.Trainer.Device,
                Threads = Threads,
            },
            _ => { },
            cancellationToken);
        switch (answer)
        {
            case TrainerEvent.Ready ready:
                (_openFor, _openWithout) = (plan, patients.WithdrawnHash);
                LogReady(ready.TrainingCases, ready.HeldBackCases, ready.Quarantined.Values.Sum(), string.Join(", ", ready.Quarantined.Select(entry => $"{entry.Value} {entry.Key}")), ready.Device, ready.NetworkIsolated);
                return null;
            case TrainerEvent.Failed failed:
                return failed;
            default:
                return new TrainerEvent.Failed(TrainerFailure.Fault, "The trainer gave another answer than it was asked for.");
        }
    }

    /// <summary>A trainer, or <see langword="null"/> where it must be cut off from the network and can't be.</summary>
    private async Task<TrainerProcess?> StartAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value.Trainer;
        var isolation = await IsolationAsync(cancellationToken);
        if (!settings.RequireIsolation || isolation.IsIsolated)
        {
            var notes = Path.Combine(Reports().FullName, "trainer.txt");
            return TrainerProcess.Start([settings.Path, .. settings.Arguments], isolation, notes, TimeSpan.FromMinutes(settings.SilenceMinutes), time);
        }

        LogNotIsolated();
        return null;
    }

    private static TrainerEvent.Failed NotIsolated => new(TrainerFailure.Fault, "Isolation is required and not available.");

    /// <summary>As the ledger knows it now: whom a run leaves out is asked each time.</summary>
    private PatientRules Patients() => _desk.Patients.Rules(_desk.Ask(book => book.Withdrawn.ToList()));

    private int Threads => options.Value.Trainer.Threads == 0 ? Environment.ProcessorCount : options.Value.Trainer.Threads;

    private DirectoryInfo Reports() => Directory.CreateDirectory(Path.Combine(options.Value.DataDirectory, "reports"));

    private ImmutableSortedDictionary<string, ImmutableArray<string>> LabelAliases() =>
        options.Value.Cohort.Labels.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value.ToImmutableArray());

    /// <summary>Remembered where there is one: that a probe could not be started once says nothing of the next time.</summary>
    private async Task<TrainerIsolation> IsolationAsync(CancellationToken cancellationToken)
    {
        if (_isolation is { } known) return known;
        var found = await Detect(cancellationToken);
        if (found.IsIsolated) _isolation = found;
        return found;
    }

    [LoggerMessage(410, LogLevel.Information, "Trainer read the cohort: {Training} cases to train on, {HeldBack} held back, {Quarantined} refused ({Reasons}); device {Device}; isolated from the network: {Isolated}")]
    private partial void LogReady(int training, int heldBack, int quarantined, string reasons, string device, bool isolated);

    [LoggerMessage(411, LogLevel.Debug, "Round {Round}: step {Step} of {Steps}")]
    private partial void LogStep(int round, int step, int steps);

    [LoggerMessage(
        413,
        LogLevel.Warning,
        "The trainer of {Run} round {Round} died after step {Step}, {OwnStep} on the site's own model; starting it again from its last checkpoint")]
    private partial void LogRestarting(RunId run, int round, int step, int ownStep);

    [LoggerMessage(414, LogLevel.Information, "A patient withdrew during {Run} round {Round}; it is trained again without them")]
    private partial void LogWithdrawn(RunId run, int round);

    [LoggerMessage(412, LogLevel.Error, "The trainer can't be cut off from the network here and Agent:Trainer:RequireIsolation is set; allow network namespaces or unset it")]
    private partial void LogNotIsolated();

    /// <summary>How far a round came in any of its trainers.</summary>
    private sealed class Progress(int checkpointEverySteps)
    {
        private int _checkpoints, _ownCheckpoints;

        /// <summary>The furthest step on the federation's model.</summary>
        public int Step { get; private set; }

        /// <summary>The furthest on the site's own, which comes after them or, when the run closes, alone.</summary>
        public int OwnStep { get; private set; }

        /// <summary>Checkpoints passed on both models: after every so many steps, and after the last.</summary>
        public int Checkpoints => _checkpoints + _ownCheckpoints;

        public void Add(TrainerEvent.Stepped step)
        {
            if (step.Step == 0) return;
            var passed = step.Step / checkpointEverySteps + (step.Step == step.Steps ? 1 : 0);
            if (step.Own) (OwnStep, _ownCheckpoints) = (Math.Max(OwnStep, step.Step), Math.Max(_ownCheckpoints, passed));
            else (Step, _checkpoints) = (Math.Max(Step, step.Step), Math.Max(_checkpoints, passed));
        }
    }
}

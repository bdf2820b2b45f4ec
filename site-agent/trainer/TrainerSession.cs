using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using FedSeg.Dicom;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Cases;
using FedSeg.Segmentation;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Trainer;

/// <summary>
/// Works off the agent's commands. Every failure is an answer: whatever a command runs into, the next one is taken.
/// </summary>
/// <param name="send">Takes each event.</param>
/// <param name="time">Measures how long tasks take.</param>
internal sealed class TrainerSession(Action<TrainerEvent> send, TimeProvider time)
{
    private readonly Lock _sending = new();
    private OpenedCohort? _opened;

    /// <summary>Does one command and sends its answer.</summary>
    public void Handle(string line)
    {
        TrainerEvent answer;
        try
        {
            answer = TrainerLine.Read(line) switch
            {
                TrainerCommand.Preflight preflight => Preflight(preflight),
                TrainerCommand.Fingerprint fingerprint => Fingerprint(fingerprint),
                TrainerCommand.Open open => Open(open),
                TrainerCommand.Run run => Run(run),
                var other => throw new InvalidOperationException($"{other.GetType().Name} is not handled."),
            };
        }
        catch (Exception error)
        {
            answer = Failure(error);
        }

        // Outside the try: when the agent is gone there is nobody left to tell.
        Send(answer);
    }

    /// <summary>One at a time: cases are read on several threads.</summary>
    private void Send(TrainerEvent said)
    {
        lock (_sending) send(said);
    }

    private void SayAlive() => Send(TrainerEvent.Stepped.Alive);

    private TrainerEvent.Surveyed Preflight(TrainerCommand.Preflight command)
    {
        var vocabulary = VocabularyOf(command.LabelAliases.Keys, command.LabelAliases);
        var preflight = CohortPreflight.Of(
            command.CohortDirectory,
            vocabulary,
            Limits(command.AllowHtj2k),
            command.Threads,
            CancellationToken.None,
            LeftOut(command.Patients),
            SayAlive);
        preflight.Write(command.ReportPath);
        return new TrainerEvent.Surveyed { Usable = preflight.Usable.Length, Quarantined = preflight.Reasons };
    }

    private TrainerEvent.Fingerprinted Fingerprint(TrainerCommand.Fingerprint command)
    {
        var (plan, folder) = (command.Plan, command.CohortDirectory);
        var asked = plan.Planning ?? throw new InvalidOperationException("The plan asks for no fingerprint.");
        var vocabulary = VocabularyFor(plan, command.LabelAliases);
        var counted = new List<string>();
        var fingerprint = CohortFingerprint.Of(
            folder,
            vocabulary,
            plan.Preprocessing.Modality,
            asked.LeastCases,
            command.Threads,
            CancellationToken.None,
            Limits(command.AllowHtj2k),
            LeftOut(command.Patients),
            counted.Add,
            SayAlive);
        // On the disk before anybody is told the counts.
        if (command is { Patients: { } rules, PatientsPath: { } path })
        {
            FlushedFile.Write(path, PatientUse.Of(rules, trained: counted, scored: []).ToBytes());
        }

        return fingerprint is null
            ? throw new CohortException(CohortProblem.NoUsableCase, $"{folder}: fewer than {asked.LeastCases} labelled {plan.Preprocessing.Modality} cases")
            : new TrainerEvent.Fingerprinted(fingerprint);
    }

    private TrainerEvent.Ready Open(TrainerCommand.Open open)
    {
        _opened = null;
        var plan = open.Plan;
        var device = ComputeDevice.Choose(open.Device, open.Threads);
        CpuKernels.ChooseFor(open.Plan.Architecture);
        var vocabulary = VocabularyFor(plan, open.LabelAliases);
        var cohort = Cohort.Read(
            open.CohortDirectory, vocabulary, plan.Preprocessing, plan.HeldBackFraction, plan.Seed, open.Threads, open.CohortReportPath, CancellationToken.None, Limits(open.AllowHtj2k), open.CacheDirectory, LeftOut(open.Patients),
            open.SplitPath is { } split ? new RunSplit(split) : null,
            SayAlive);
        if (cohort.Training.Length < plan.MinimumCases)
        {
            throw new CohortException(
                CohortProblem.NoUsableCase,
                $"{open.CohortDirectory}: {cohort.Training.Length} cases to train on, the plan asks for {plan.MinimumCases}; see {open.CohortReportPath} for refused cases");
        }

        _opened = new OpenedCohort(cohort, plan, device, open.Patients);
        return new TrainerEvent.Ready
        {
            TrainingCases = cohort.Training.Length,
            HeldBackCases = cohort.HeldBack.Length,
            Quarantined = cohort.Quarantined,
            NetworkIsolated = NetworkIsolation.IsIsolated(),
            Device = device.type == TorchSharp.DeviceType.CUDA ? $"cuda:{device.index}" : "cpu",
        };
    }

    private TrainerEvent Run(TrainerCommand.Run run)
    {
        if (_opened is not { } opened) throw new InvalidOperationException("No cohort is open; send an open command first.");
        RequireSameCohort(opened.Plan, run.Plan);

        RecordPatients(opened, run);
        var started = time.GetTimestamp();
        var outcome = RoundWork.Run(
            run.Plan,
            opened.Cohort,
            new RoundFiles
            {
                Model = run.ModelPath,
                Update = run.UpdatePath,
                Control = run.ControlPath,
                Residual = run.ResidualPath,
                State = run.StateDirectory,
                PersonalModel = run.PersonalModelPath,
                CheckpointEverySteps = run.CheckpointEverySteps,
            },
            opened.Device,
            step => Send(new TrainerEvent.Stepped(step.Step, step.Steps, step.Loss)),
            CancellationToken.None,
            SayAlive,
            step => Send(new TrainerEvent.Stepped(step.Step, step.Steps, null) { Own = true }));
        return outcome switch
        {
            RoundOutcome.Done done => new TrainerEvent.Finished
            {
                TrainingCases = run.Plan.Task == RoundTask.Train ? opened.Cohort.Training.Length : 0,
                HeldBackCases = opened.Cohort.HeldBack.Length,
                Cohort = opened.Cohort.Use,
                Steps = done.Steps,
                MeanLoss = done.MeanLoss,
                DataWaitShare = done.Time?.DataWaitShare,
                Scores = done.Scores,
                PersonalScores = done.PersonalScores,
                Privacy = done.Privacy,
                Similarity = done.Similarity,
                Seconds = time.GetElapsedTime(started).TotalSeconds,
            },
            RoundOutcome.NotFinite broken => new TrainerEvent.Failed(
                TrainerFailure.NotFinite,
                $"the loss or a weight was no longer finite at step {broken.Step} of round {run.Plan.Round}; a smaller learning rate may help"),
            _ => throw new InvalidOperationException($"{outcome.GetType().Name} is not handled."),
        };
    }

    private static void RecordPatients(OpenedCohort opened, TrainerCommand.Run run)
    {
        if (opened.Patients is not { } rules || run.PatientsPath is not { } path) return;
        var trained = run.Plan.Task == RoundTask.Train ? opened.Cohort.Training : [];
        var use = PatientUse.Of(rules, trained.Select(entry => entry.PatientKey), opened.Cohort.HeldBack.Select(entry => entry.PatientKey));
        FlushedFile.Write(path, use.ToBytes());
    }

    private static Func<string, bool>? LeftOut(PatientRules? rules) => rules is { Withdrawn.IsEmpty: false } ? rules.IsWithdrawn : null;

    private static DicomLimits Limits(bool allowHtj2k) => new() { AllowHtj2k = allowHtj2k };

    private static LabelVocabulary VocabularyOf(IEnumerable<string> labels, ImmutableSortedDictionary<string, ImmutableArray<string>> aliases) =>
        new([.. labels.Select(label => new LabelName(label, aliases.TryGetValue(label, out var own) && own.Length > 0 ? own : [label]))]);

    private static LabelVocabulary VocabularyFor(RoundPlan plan, ImmutableSortedDictionary<string, ImmutableArray<string>> aliases)
    {
        var vocabulary = VocabularyOf(plan.Labels, aliases);
        return plan.Recipe.PartialLabels ? WithoutUndeclared(vocabulary, aliases.Keys) : vocabulary;
    }

    /// <summary>A label that the site did not declare is drawn in none of its files.</summary>
    private static LabelVocabulary WithoutUndeclared(LabelVocabulary vocabulary, IEnumerable<string> declared)
    {
        var known = declared.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new([.. vocabulary.Labels.Select(label => known.Contains(label.Name) ? label : label with { Aliases = [] })]);
    }

    /// <summary>The cohort was split and prepared for one plan; another split would train on patients who are held back.</summary>
    private static void RequireSameCohort(RoundPlan opened, RoundPlan plan)
    {
        var same = plan.Run == opened.Run
            && plan.Seed == opened.Seed
            && plan.HeldBackFraction == opened.HeldBackFraction
            && plan.Labels.SequenceEqual(opened.Labels)
            && plan.Recipe.PartialLabels == opened.Recipe.PartialLabels
            && plan.Preprocessing.PreparesLike(opened.Preprocessing);
        if (!same)
        {
            throw new InvalidOperationException(
                $"The plan of {plan.Run} round {plan.Round} has another run, seed, held-back share, labels or preprocessing than the one the cohort was opened for.");
        }
    }

    private static TrainerEvent.Failed Failure(Exception error) => error switch
    {
        // What a thread that read a case ran into.
        AggregateException { InnerException: { } inner } => Failure(inner),
        CohortException { Problem: CohortProblem.LabelNotFound } => new(TrainerFailure.LabelNotFound, error.Message),
        CohortException { Problem: CohortProblem.TooLarge } => new(TrainerFailure.OutOfMemory, error.Message),
        CohortException => new(TrainerFailure.TooFewCases, error.Message),
        SafetensorsException => new(TrainerFailure.ModelRefused, error.Message),
        OutOfMemoryException => new(TrainerFailure.OutOfMemory, error.Message),
        ExternalException when IsTorchOutOfMemory(error.Message) => new(TrainerFailure.OutOfMemory, FirstLine(error.Message)),
        IOException and not (FileNotFoundException or DirectoryNotFoundException or EndOfStreamException) => new(TrainerFailure.Storage, FirstLine(error.Message)),
        JsonException => new(TrainerFailure.Fault, "the command is malformed: " + FirstLine(error.Message)),
        _ => new(TrainerFailure.Fault, $"{error.GetType().Name}: {FirstLine(error.Message)}"),
    };

    // Torch has no error code for it; these are the words of its CPU and CUDA allocators.
    private static bool IsTorchOutOfMemory(string message) =>
        message.Contains("can't allocate memory", StringComparison.Ordinal)
        || message.Contains("not enough memory", StringComparison.Ordinal)
        || message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);

    private static string FirstLine(string message) => message.Split('\n')[0].Trim();

    private sealed record OpenedCohort(Cohort Cohort, RoundPlan Plan, Device Device, PatientRules? Patients);
}

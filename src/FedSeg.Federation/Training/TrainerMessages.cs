using System.Collections.Immutable;
using System.Text.Json.Serialization;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Training;

/// <summary>
/// What the agent writes to the trainer's standard input, one JSON document a line. The trainer works them off in order and ends
/// when its input ends.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "command")]
[JsonDerivedType(typeof(Preflight), "preflight")]
[JsonDerivedType(typeof(Fingerprint), "fingerprint")]
[JsonDerivedType(typeof(Open), "open")]
[JsonDerivedType(typeof(Run), "run")]
public abstract record TrainerCommand
{
    private TrainerCommand() { }

    /// <summary>
    /// Reads every study once, before any run, and lets it go again. Answered, as every command after any number of
    /// <see cref="TrainerEvent.Stepped"/>, by <see cref="TrainerEvent.Surveyed"/>.
    /// </summary>
    public sealed record Preflight : TrainerCommand
    {
        /// <summary>Folder with one sub-folder per case.</summary>
        public required string CohortDirectory { get; init; }

        /// <summary>The labels this site declares, each with its own segment labels; none means the label itself.</summary>
        public required ImmutableSortedDictionary<string, ImmutableArray<string>> LabelAliases { get; init; }

        /// <summary>Where the trainer writes what the site's operator may read about each study.</summary>
        public required string ReportPath { get; init; }

        /// <summary>How patients are named and who is left out; absent where there is nobody to leave out and nothing to record.</summary>
        public PatientRules? Patients { get; init; }

        /// <summary>Whether the site wants HTJ2K files decoded.</summary>
        public bool AllowHtj2k { get; init; }

        /// <summary>Studies read at the same time.</summary>
        public required int Threads { get; init; }
    }

    /// <summary>Reads every study once and counts what a network is planned by. Answered by <see cref="TrainerEvent.Fingerprinted"/>.</summary>
    public sealed record Fingerprint : TrainerCommand
    {
        /// <summary>Folder with one sub-folder per case.</summary>
        public required string CohortDirectory { get; init; }

        /// <summary>This site's segment labels per label of the run; a label without any stands for itself.</summary>
        public required ImmutableSortedDictionary<string, ImmutableArray<string>> LabelAliases { get; init; }

        /// <summary>The fingerprint round's plan: labels, modality, and the fewest cases behind a count.</summary>
        public required RoundPlan Plan { get; init; }

        /// <summary>How patients are named and who is left out; absent where there is nobody to leave out and nothing to record.</summary>
        public PatientRules? Patients { get; init; }

        /// <summary>Where the trainer writes which patients it used, before it uses them.</summary>
        public string? PatientsPath { get; init; }

        /// <summary>Whether the site wants HTJ2K files decoded.</summary>
        public bool AllowHtj2k { get; init; }

        /// <summary>Studies read at the same time.</summary>
        public required int Threads { get; init; }
    }

    /// <summary>Reads the cohort for a run's plan. Answered by <see cref="TrainerEvent.Ready"/>.</summary>
    public sealed record Open : TrainerCommand
    {
        /// <summary>Folder with one sub-folder per case.</summary>
        public required string CohortDirectory { get; init; }

        /// <summary>This site's segment labels per label of the run; a label without any stands for itself.</summary>
        public required ImmutableSortedDictionary<string, ImmutableArray<string>> LabelAliases { get; init; }

        /// <summary>The first plan of the run; labels, preprocessing, seed and held-back share stay the same in all its rounds.</summary>
        public required RoundPlan Plan { get; init; }

        /// <summary>A folder of the run for prepared cases, so that a trainer started again need not prepare them anew.</summary>
        public string? CacheDirectory { get; init; }

        /// <summary>The run's file of who is held back, made at its first opening; absent to split those present.</summary>
        public string? SplitPath { get; init; }

        /// <summary>Where the trainer writes what the site's operator may read about refused cases.</summary>
        public required string CohortReportPath { get; init; }

        /// <summary>How patients are named and who is left out; absent where there is nobody to leave out and nothing to record.</summary>
        public PatientRules? Patients { get; init; }

        /// <summary>Whether the site wants HTJ2K files decoded.</summary>
        public bool AllowHtj2k { get; init; }

        /// <summary><c>auto</c>, <c>cpu</c> or <c>cuda:N</c>.</summary>
        public required string Device { get; init; }

        /// <summary>CPU threads of the trainer.</summary>
        public required int Threads { get; init; }
    }

    /// <summary>Does a plan's task. Answered by <see cref="TrainerEvent.Stepped"/> any number of times, then by <see cref="TrainerEvent.Finished"/>.</summary>
    public sealed record Run : TrainerCommand
    {
        public required RoundPlan Plan { get; init; }

        /// <summary>The base model's safetensors file.</summary>
        public required string ModelPath { get; init; }

        /// <summary>Where the trained minus the base weights go; written only when training.</summary>
        public required string UpdatePath { get; init; }

        /// <summary>The federation's control variate, where the plan names one.</summary>
        public string? ControlPath { get; init; }

        /// <summary>
        /// With error feedback what earlier rounds held back of their changes, to be added to this one's; absent where there is nothing
        /// yet.
        /// </summary>
        public string? ResidualPath { get; init; }

        /// <summary>A folder of the run for what stays at the site: kept tensors, own control variate, optimiser state, checkpoints.</summary>
        public string? StateDirectory { get; init; }

        /// <summary>Optimiser steps between two checkpoints in it.</summary>
        public int CheckpointEverySteps { get; init; } = 50;

        /// <summary>Where the trainer writes which patients it used, before it uses them.</summary>
        public string? PatientsPath { get; init; }

        /// <summary>Where the site's own model goes when the run closes, if its recipe makes one.</summary>
        public string? PersonalModelPath { get; init; }
    }
}

/// <summary>What the trainer writes to its standard output, one JSON document a line.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Surveyed), "surveyed")]
[JsonDerivedType(typeof(Fingerprinted), "fingerprinted")]
[JsonDerivedType(typeof(Ready), "ready")]
[JsonDerivedType(typeof(Stepped), "stepped")]
[JsonDerivedType(typeof(Finished), "finished")]
[JsonDerivedType(typeof(Failed), "failed")]
public abstract record TrainerEvent
{
    private TrainerEvent() { }

    /// <summary>Every study of the cohort was looked at.</summary>
    public sealed record Surveyed : TrainerEvent
    {
        /// <summary>Studies that a run on all of the site's labels could use.</summary>
        public required int Usable { get; init; }

        /// <summary>Refused studies by reason code.</summary>
        public required ImmutableSortedDictionary<string, int> Quarantined { get; init; }
    }

    /// <summary>The cohort's fingerprint, small counts left out.</summary>
    public sealed record Fingerprinted(SiteFingerprint Fingerprint) : TrainerEvent;

    /// <summary>The cohort is read.</summary>
    public sealed record Ready : TrainerEvent
    {
        public required int TrainingCases { get; init; }

        public required int HeldBackCases { get; init; }

        /// <summary>Refused cases by reason code.</summary>
        public required ImmutableSortedDictionary<string, int> Quarantined { get; init; }

        /// <summary>Whether the process sees no network interface but loopback.</summary>
        public required bool NetworkIsolated { get; init; }

        /// <summary>The device chosen: <c>cpu</c> or <c>cuda:N</c>.</summary>
        public required string Device { get; init; }
    }

    /// <summary>
    /// The work went on: an optimiser step is done or, as step 0, something else that takes its time: a case is read, a window of one
    /// segmented. A trainer that says nothing for long counts as hung.
    /// </summary>
    /// <param name="Step">From 1, within the round's steps on one model; 0 for what is no step.</param>
    /// <param name="Steps">Steps of the round on that model; 0 with step 0.</param>
    /// <param name="Loss">Of the step's batch; absent with step 0 and for the site's own model.</param>
    public sealed record Stepped(int Step, int Steps, double? Loss) : TrainerEvent
    {
        /// <summary>Whether the step is one on the site's own model and none on the federation's.</summary>
        public bool Own { get; init; }

        /// <summary>A sign of life and no more.</summary>
        public static Stepped Alive { get; } = new(0, 0, null);
    }

    /// <summary>The plan's task is done.</summary>
    public sealed record Finished : TrainerEvent
    {
        public required int TrainingCases { get; init; }

        public required int HeldBackCases { get; init; }

        public required int Steps { get; init; }

        public required double? MeanLoss { get; init; }

        /// <summary>Share of the training time in which steps waited for patches, 0 to 1; absent for an evaluation. Stays at the site.</summary>
        public double? DataWaitShare { get; init; }

        /// <summary>What the round cost every patient, where the recipe asks for privacy: to be charged before anything leaves.</summary>
        public PrivacySpent? Privacy { get; init; }

        /// <summary>How much the update looks like an image it was trained on; absent for an evaluation. Stays at the site.</summary>
        public ImageSimilarity? Similarity { get; init; }

        /// <summary>How many of the studies found are used.</summary>
        public required CohortUse Cohort { get; init; }

        /// <summary>Scores of the base model on the held-back cases, in label order.</summary>
        public required ImmutableArray<LabelScore> Scores { get; init; }

        /// <summary>Scores of the site's own model when the run closes; empty where there is none. They stay at the site.</summary>
        public ImmutableArray<LabelScore> PersonalScores { get; init; } = [];

        public required double Seconds { get; init; }
    }

    /// <summary>The command could not be done; the trainer takes further commands.</summary>
    /// <param name="Code">Why.</param>
    /// <param name="Detail">For the site's operator only; may name files of the site, never a value from them.</param>
    public sealed record Failed(TrainerFailure Code, string Detail) : TrainerEvent;
}

/// <summary>Why a trainer could not do its task. The code is all that ever leaves the site.</summary>
public enum TrainerFailure
{
    /// <summary>No usable case, or fewer than the plan asks for.</summary>
    TooFewCases,

    /// <summary>A label of the run occurs in no case of this site.</summary>
    LabelNotFound,

    /// <summary>The loss or a weight became NaN or infinite.</summary>
    NotFinite,

    OutOfMemory,

    /// <summary>The base model is not what the plan declares.</summary>
    ModelRefused,

    /// <summary>A disk was full or did not answer: to be tried again.</summary>
    Storage,

    /// <summary>The trainer process ended without an answer.</summary>
    Crashed,

    /// <summary>Any other fault.</summary>
    Fault,
}

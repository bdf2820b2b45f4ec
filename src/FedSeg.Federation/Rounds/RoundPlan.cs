using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Rounds;

/// <summary>What a site is asked to do in a round.</summary>
public enum RoundTask
{
    /// <summary>Score the base model on the held-back patients, train it on the others, return the change of its weights.</summary>
    Train,

    /// <summary>Score the base model on the held-back patients only; nothing is trained and no weights are returned.</summary>
    Evaluate,

    /// <summary>Tell shapes, spacings and intensities of the cohort, counted, so that a network can be planned; nothing is trained or scored.</summary>
    Fingerprint,
}

/// <summary>
/// One round, frozen: everything a site needs to do exactly the same work as any other, and nothing it would have to look up.
/// Its canonical JSON is what crosses the wire, is hashed, and is noted in the ledger.
/// </summary>
public sealed record RoundPlan
{
    public required RunId Run { get; init; }

    /// <summary>The research study the run is for, by whose charter a site decides; absent for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StudyId? Study { get; init; }

    /// <summary>1 for the first training round; fingerprints have 0, the closing evaluation has the number after the last training round.</summary>
    public required int Round { get; init; }

    /// <summary>Training rounds of the whole run; the learning rate decays over all of them.</summary>
    public required int TotalRounds { get; init; }

    public required RoundTask Task { get; init; }

    public required ArchitectureSpec Architecture { get; init; }

    /// <summary>The run's labels in class order; class 0 is the background and not listed.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    public required PreprocessingSpec Preprocessing { get; init; }

    public required TrainingRecipe Recipe { get; init; }

    /// <summary>Share of a site's patients never trained on, 0.05 to 0.5.</summary>
    public required double HeldBackFraction { get; init; }

    /// <summary>Seeds the split by patient and every random draw of training.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Fewest training cases with which a site takes part.</summary>
    public required int MinimumCases { get; init; }

    /// <summary>The global model the round starts from: SHA-256 of its safetensors file.</summary>
    public required Sha256Digest BaseModel { get; init; }

    /// <summary>Length of the base model's file, bytes.</summary>
    public required long BaseModelBytes { get; init; }

    /// <summary>SCAFFOLD: the federation's control variate, a file with the model's tensors; absent while it is zero, and for other algorithms.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ModelRef? Control { get; init; }

    /// <summary>How the network is to be planned: only in a fingerprint round.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PlanningSpec? Planning { get; init; }

    /// <summary>SHA-256 of the frozen <see cref="Federation.Planning.TrainingPlan"/> that network and input come from; absent where the job names them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Sha256Digest? TrainingPlan { get; init; }

    /// <summary>Bounds for what leaves the sites, beside their own; absent for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EgressBounds? Egress { get; init; }

    /// <summary>How updates are masked and summed; absent in an inspectable run, whose updates the coordinator sees.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BlindSpec? Blind { get; init; }

    /// <summary>Whether this round's updates are masked: a blind run's closing evaluation has none.</summary>
    public bool MasksUpdates => Blind is not null && Task == RoundTask.Train;

    /// <summary>The tensors of the model.</summary>
    public TensorManifest Manifest() => ArchitectureCatalog.Manifest(Architecture);

    /// <summary>
    /// The tensors of an update: those of the model that are averaged, and for SCAFFOLD as many again, for the control variate. What stays at the site
    /// is not among them.
    /// </summary>
    public UpdateManifest UpdateManifest() => new(Manifest(), Recipe);

    /// <summary>Length of an update's file, bytes; 0 where none is returned.</summary>
    public long UpdateBytes()
    {
        if (Task != RoundTask.Train) return 0;
        var tensors = UpdateManifest().All;
        return Blind is null
            ? SafetensorsWriter.FileLength(EncodedManifest.Of(tensors, Recipe.UpdateEncoding))
            : tensors.ParameterCount * BlindSpec.BytesPerWeight;
    }

    /// <summary>What the update's file would be in float32, bytes: what an encoding or a mask is compared with.</summary>
    public long UpdateBytesInFloat32() => Task == RoundTask.Train ? SafetensorsWriter.FileLength(UpdateManifest().All) : 0;

    /// <summary>The canonical bytes: UTF-8 JSON, properties in declaration order.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <summary>Reads a plan from the wire.</summary>
    /// <exception cref="JsonException">Not a plan, or with unknown or missing properties.</exception>
    public static RoundPlan FromBytes(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<RoundPlan>(bytes, FederationJson.Options) ?? throw new JsonException("The plan is null.");
}

/// <summary>How images become network input.</summary>
public sealed record PreprocessingSpec
{
    /// <summary>DICOM modality the run accepts: <c>MR</c> or <c>CT</c>.</summary>
    public required string Modality { get; init; }

    /// <summary>Voxel spacing the images are resampled to, mm, <c>[z, y, x]</c> on the canonical patient axes.</summary>
    public required ImmutableArray<double> SpacingMm { get; init; }

    /// <summary>Training patch and sliding-window size, voxels, <c>[z, y, x]</c>.</summary>
    public required ImmutableArray<int> PatchVoxels { get; init; }

    /// <summary>CT: clips and scales every image by the same numbers; <see langword="null"/> for a fixed soft-tissue window. MR is normalised image by image.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ForegroundIntensity? Intensity { get; init; }

    /// <summary>What becomes of the zeros around the patient.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public CropRule Crop { get; init; }

    /// <summary>What stands for it until the sites' fingerprints tell what it is.</summary>
    public static PreprocessingSpec ToBePlanned(string modality) => new() { Modality = modality, SpacingMm = [], PatchVoxels = [] };

    /// <summary>Whether both make the same input of an image; the patch is only the part of it that a network sees at once.</summary>
    public bool PreparesLike(PreprocessingSpec other) =>
        Modality == other.Modality && SpacingMm.SequenceEqual(other.SpacingMm) && Intensity == other.Intensity && Crop == other.Crop;
}

/// <summary>What becomes of the zeros around a patient, which skull-stripping and the like leave. Source: nnU-Net v2.</summary>
public enum CropRule
{
    /// <summary>They stay.</summary>
    None,

    /// <summary>Images are cut down to the smallest box that holds every voxel other than 0; predictions are background outside it.</summary>
    Nonzero,

    /// <summary>
    /// The same, and an image that is normalised by itself is so within its nonzero voxels, holes filled; outside them it is 0. For data
    /// whose images are mostly air, which would otherwise decide mean and deviation.
    /// </summary>
    NonzeroMasked,
}

/// <summary>Local training of one round.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Optimiser steps a site makes per round.</summary>
    public required int StepsPerRound { get; init; }

    /// <summary>Patches per step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Whether the Dice loss is one for the batch instead of one a patch.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool BatchDice { get; init; }

    public required OptimizerKind Optimizer { get; init; }

    /// <summary>Learning rate of the first step; decays as (1 − step / total steps)^0.9 over the whole run.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Weight decay (decoupled for AdamW, L2 for SGD).</summary>
    public required double WeightDecay { get; init; }

    /// <summary>How the change of the weights is written when it leaves.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public UpdateEncoding UpdateEncoding { get; init; }

    /// <summary>Whether what the encoding loses stays at the site and is added to its next change (<see cref="Residual"/>).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ErrorFeedback { get; init; }

    /// <summary>Random changes of the patches.</summary>
    public AugmentationKind Augmentation { get; init; } = AugmentationKind.Standard;

    /// <summary>
    /// Whether augmentation flips patches too; never along the left-right axis where a label's name tells left from right. Switch it off where labels differ by their
    /// side without saying so.
    /// </summary>
    public bool Mirroring { get; init; } = true;

    /// <summary>Passes over the site's cases a round, so that sites make as many steps as they have work for (FedNova); never more than <see cref="StepsPerRound"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? EpochsPerRound { get; init; }

    /// <summary>What is done beside plain steps.</summary>
    public LocalAlgorithm Algorithm { get; init; } = new LocalAlgorithm.Plain();

    /// <summary>Which tensors are merged and which stay.</summary>
    public TensorRules Tensors { get; init; } = TensorRules.AverageAll;

    /// <summary>Steps on the final global model after the last round, at the first learning rate divided by 10; the result stays at the site. 0 for none.</summary>
    public int FineTuneSteps { get; init; }

    /// <summary>Differential privacy of every patient; absent for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PatientPrivacy? Privacy { get; init; }

    /// <summary>Whether a site may take part that draws only some of the labels; elsewhere its background may be one of the others.</summary>
    public bool PartialLabels { get; init; }

    /// <summary>Whether the optimiser remembers between rounds.</summary>
    public OptimizerState OptimizerState { get; init; } = OptimizerState.Reset;

    /// <summary>Whether a site ends up with a model of its own, which never leaves it.</summary>
    [JsonIgnore]
    public bool MakesPersonalModel => Algorithm is LocalAlgorithm.Ditto || FineTuneSteps > 0 || Tensors.KeepLocal.Length > 0;

    /// <summary>
    /// What is wrong with the algorithm, the rules for tensors, the privacy and the encoding; <see langword="null"/> when nothing is.
    /// </summary>
    public string? Problem() => Algorithm.Problem()
        ?? EncodingProblem()
        ?? Tensors.Problem()
        ?? Privacy?.Problem()
        ?? (Algorithm is LocalAlgorithm.Ditto && FineTuneSteps > 0 ? "ditto trains a personal model in every round already; leave fine-tuning out" : null);

    /// <summary>Why the update can't be written as asked beside the rest of the recipe; <see langword="null"/> when it can.</summary>
    public string? EncodingProblem() =>
        Algorithm is LocalAlgorithm.Scaffold && UpdateEncoding.IsSparse()
            ? "SCAFFOLD's control variates have to arrive whole; use an updateEncoding that leaves no weight out"
        : !ErrorFeedback ? null
        : UpdateEncoding == UpdateEncoding.F32
            ? "errorFeedback keeps what an encoding loses, and f32 loses nothing; name another updateEncoding or leave it out"
        : Algorithm is LocalAlgorithm.Scaffold
            ? "errorFeedback would carry a change of the control variate into a round it is not of; SCAFFOLD goes without"
        : Privacy is not null ? "errorFeedback sends what earlier rounds held back, and the privacy accountant charges a round for its own steps only; private training goes without"
        : null;

    /// <summary>Steps of a site with so many training cases.</summary>
    public int StepsFor(int trainingCases) => EpochsPerRound is { } epochs
        ? (int)Math.Clamp(((long)epochs * trainingCases + BatchSize - 1) / BatchSize, 1, StepsPerRound)
        : StepsPerRound;

    /// <summary>
    /// FedNova's ‖a‖₁ of so many steps, at a steady learning rate. With Nesterov momentum ρ from rest the k-th of τ gradients goes on to move the weights by
    /// 1 + ρ + … + ρ^(τ − k + 1) (Wang et al. 2020, section 4.1, for PyTorch's form of the step); Adam's steps are all about as long, whatever the gradients.
    /// </summary>
    public double StepLength(int steps)
    {
        if (Optimizer != OptimizerKind.Sgd || OptimizerState != OptimizerState.Reset) return steps;
        const double momentum = 0.99;
        var (sum, power) = (0.0, momentum);
        for (var remaining = 1; remaining <= steps; remaining++) sum += (1 - (power *= momentum)) / (1 - momentum);
        return sum;
    }

    /// <summary>Whether a site may have made so many steps.</summary>
    public bool Allows(int steps) => EpochsPerRound is null ? steps == StepsPerRound : steps >= 1 && steps <= StepsPerRound;
}

/// <summary>How patches are changed at random before a step sees them.</summary>
public enum AugmentationKind
{
    /// <summary>nnU-Net's list: rotation, scaling, noise, blur, gain, contrast, lower resolution, gamma and mirroring, each with its probability.</summary>
    Standard,

    /// <summary>Patches as they are.</summary>
    None,
}

/// <summary>What becomes of momentum and moments between the rounds of a run.</summary>
public enum OptimizerState
{
    /// <summary>They start from zero in every round.</summary>
    Reset,

    /// <summary>They stay at the site, as they were at the end of its last round.</summary>
    Keep,
}

/// <summary>Optimisers of the recipe.</summary>
public enum OptimizerKind
{
    /// <summary>SGD with Nesterov momentum 0.99.</summary>
    Sgd,

    /// <summary>Adam with decoupled weight decay; betas 0.9 and 0.999.</summary>
    AdamW,
}

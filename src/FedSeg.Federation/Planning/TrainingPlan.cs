using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Planning;

/// <summary>
/// Every decision that follows from the data, frozen: what all sites train, at which spacing, with which network. Its canonical JSON is one
/// file, and its hash names it. Axes are <c>[z, y, x]</c> on the canonical patient axes.
/// </summary>
public sealed record TrainingPlan
{
    public required PlannerPresetName Preset { get; init; }

    public required string Modality { get; init; }

    /// <summary>Output classes: background and labels.</summary>
    public required int Classes { get; init; }

    /// <summary>Cases that the plan was made from.</summary>
    public required int Cases { get; init; }

    /// <summary>CT: what images are clipped and scaled by; absent where images are normalised each by itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ForegroundIntensity? Intensity { get; init; }

    /// <summary>What becomes of the zeros around the patient.</summary>
    public required CropRule Crop { get; init; }

    /// <summary>The axis of the largest target spacing: 2D networks see slices across it.</summary>
    public required int SliceAxis { get; init; }

    /// <summary>
    /// The networks, by name: <c>3d_fullres</c>, then <c>3d_lowres</c> where full resolution shows too little of an image at once, then
    /// <c>2d</c>.
    /// </summary>
    public required ImmutableArray<PlannedConfiguration> Configurations { get; init; }

    /// <summary>Names that a configuration may have.</summary>
    public static ImmutableArray<string> ConfigurationNames { get; } = [FullResolution, LowResolution, TwoDimensional];

    internal const string FullResolution = "3d_fullres", LowResolution = "3d_lowres", TwoDimensional = "2d";

    /// <summary>The network to train first: 3D at full resolution, or 2D where the images are single slices.</summary>
    public PlannedConfiguration Main() => Configurations[0];

    /// <summary>The canonical bytes: UTF-8 JSON, properties in declaration order.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <summary>SHA-256 of the canonical bytes.</summary>
    public Sha256Digest Digest() => Sha256Digest.Of(ToBytes());

    /// <summary>Reads a plan file.</summary>
    /// <exception cref="JsonException">Not a plan, or with unknown or missing properties.</exception>
    public static TrainingPlan FromBytes(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<TrainingPlan>(bytes, FederationJson.Options) ?? throw new JsonException("The plan is null.");
}

/// <summary>One network of a plan.</summary>
public sealed record PlannedConfiguration
{
    /// <summary><c>3d_fullres</c>, <c>3d_lowres</c> or <c>2d</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Spacing that images are resampled to, mm.</summary>
    public required ImmutableArray<double> SpacingMm { get; init; }

    /// <summary>Median voxels of an image at that spacing.</summary>
    public required ImmutableArray<double> MedianShape { get; init; }

    /// <summary>Training patch and sliding-window size; 1 along the slice axis of a 2D network.</summary>
    public required ImmutableArray<int> PatchVoxels { get; init; }

    /// <summary>Patches a step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Whether the Dice loss is one for the batch instead of one a patch.</summary>
    public required bool BatchDice { get; init; }

    public required ArchitectureSpec Architecture { get; init; }

    /// <summary>Voxels × channels that one patch keeps in memory (<see cref="Planning.MemoryEstimate"/>).</summary>
    public required long MemoryEstimate { get; init; }

    /// <summary>
    /// Most features a stage was let have, where nnU-Net's own would have let an output see a whole patch; absent elsewhere.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? FeaturesCappedAt { get; init; }

    /// <summary>The same with no stage wider than a cap.</summary>
    internal PlannedConfiguration CappedAt(int features)
    {
        var whole = Architecture.Topology!;
        var topology = whole with
        {
            Stages = [.. whole.Stages.Select(stage => stage with { Features = Math.Min(stage.Features, features) })],
        };
        var isResidual = Architecture.Name == ArchitectureCatalog.ResidualEncoderUNet;
        return this with
        {
            Architecture = Architecture with { Topology = topology },
            MemoryEstimate = Planning.MemoryEstimate.Of(topology, isResidual, Architecture.Classes, PatchVoxels),
            FeaturesCappedAt = features,
        };
    }

    /// <summary>The preprocessing that a round plan hands to the sites.</summary>
    public PreprocessingSpec Preprocessing(TrainingPlan plan) => new()
    {
        Modality = plan.Modality,
        SpacingMm = SpacingMm,
        PatchVoxels = PatchVoxels,
        Intensity = plan.Intensity,
        Crop = plan.Crop,
    };
}

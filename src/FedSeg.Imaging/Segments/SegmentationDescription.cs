namespace FedSeg.Imaging.Segments;

/// <summary>A coded concept, PS3.3 §8.</summary>
public sealed record Code(string Value, string Scheme, string Meaning);

/// <summary>What a written segment is.</summary>
/// <param name="Label">SegmentLabel; at most 64 letters.</param>
/// <param name="Category">SegmentedPropertyCategory, CID 7150.</param>
/// <param name="Type">SegmentedPropertyType, CID 7151 and its children.</param>
public sealed record SegmentDescription(string Label, Code Category, Code Type)
{
    /// <summary>An anatomical structure of no closer description.</summary>
    public static SegmentDescription OfStructure(string label) =>
        new(label, new Code("123037004", "SCT", "Anatomical Structure"), new Code("123037004", "SCT", "Anatomical Structure"));
}

/// <summary>How the segments were drawn.</summary>
public enum SegmentAlgorithm
{
    Automatic,
    Semiautomatic,
    Manual,
}

/// <summary>What a segmentation says of itself beside its voxels.</summary>
/// <param name="Segments">Segment i + 1 holds the voxels of class i + 1.</param>
/// <param name="Algorithm">How the segments were drawn.</param>
/// <param name="AlgorithmName">Which program or model drew them; ignored when manual.</param>
/// <param name="UidSeed">Series and instance UID are made of this; another seed for every segmentation.</param>
/// <param name="CreatedAt">Local date and time of the content.</param>
public sealed record SegmentationDescription(
    IReadOnlyList<SegmentDescription> Segments,
    SegmentAlgorithm Algorithm,
    string AlgorithmName,
    string UidSeed,
    DateTime CreatedAt)
{
    /// <summary>SeriesDescription of what a model of ours predicted.</summary>
    public const string Prediction = "FedSeg prediction";

    internal const string Manufacturer = "FedSeg";

    internal static string ProductVersion { get; } = typeof(SegmentationDescription).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Binary, which every viewer reads, or a label map, which is smaller and few read yet.</summary>
    public SegmentationKind Kind { get; init; } = SegmentationKind.Binary;

    /// <summary>SeriesDescription; at most 64 letters.</summary>
    public string SeriesDescription { get; init; } = "Segmentation";

    /// <summary>Version of the program or model that drew the segments; ignored when manual.</summary>
    public string AlgorithmVersion { get; init; } = ProductVersion;
}

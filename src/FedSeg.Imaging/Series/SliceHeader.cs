using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// What the header says of one slice, read without its pixels: a single-frame file, or one frame of an enhanced multi-frame file.
/// </summary>
public sealed record SliceHeader
{
    public required string Path { get; init; }

    public required string SopClassUid { get; init; }

    public required string SopInstanceUid { get; init; }

    /// <summary>The frame within the file, from 0.</summary>
    public required int Frame { get; init; }

    /// <summary>The file is a multi-frame image: a reference to this slice must name the frame, PS3.3 §C.7.6.16.</summary>
    public required bool IsMultiFrame { get; init; }

    public required string StudyUid { get; init; }

    public required string SeriesUid { get; init; }

    /// <summary><see langword="null"/> where the file has none.</summary>
    public required string? FrameOfReferenceUid { get; init; }

    public required string Modality { get; init; }

    /// <summary>Hexadecimal SHA-256 of issuer and PatientID; <see langword="null"/> where the file doesn't say whose it is.</summary>
    public required string? PatientKey { get; init; }

    public required int Rows { get; init; }

    public required int Columns { get; init; }

    /// <summary>Why it can't be a slice of a volume; <see langword="null"/> when it can.</summary>
    public required SliceObstacle? Obstacle { get; init; }

    /// <summary>What tells the stacks of one series apart.</summary>
    public required SliceTraits Traits { get; init; }

    /// <summary>Distance between rows, mm (the first value of PixelSpacing).</summary>
    public double RowSpacingMm { get; init; }

    /// <summary>Distance between columns, mm (the second value of PixelSpacing).</summary>
    public double ColumnSpacingMm { get; init; }

    /// <summary>ImagePositionPatient: centre of the first pixel, patient x, y, z in mm.</summary>
    public Vector3D PositionMm { get; init; }

    /// <summary>First triple of ImageOrientationPatient: direction of growing column index.</summary>
    public Vector3D ColumnDirection { get; init; }

    /// <summary>Second triple of ImageOrientationPatient: direction of growing row index.</summary>
    public Vector3D RowDirection { get; init; }

    /// <summary>
    /// The stored values that stand for "outside the scanner's field of view"; <see langword="null"/> where none are named.
    /// </summary>
    public PaddingRange? Padding { get; init; }

    /// <summary>The values go through a look-up table (PS3.3 §C.11.1) instead of slope and intercept.</summary>
    public bool HasModalityLut { get; init; }

    public double RescaleSlope { get; init; } = 1;

    public double RescaleIntercept { get; init; }
}

/// <summary>Why an image is no slice of a volume.</summary>
/// <param name="Detail">In a few words, to follow "it"; holds tags, never a value that could name a patient.</param>
public sealed record SliceObstacle(QuarantineReason Reason, string Detail)
{
    /// <summary>
    /// Scouts and screen saves stand beside the slices of a series without harm to them; anything else makes the series suspect.
    /// </summary>
    public bool IsBystander => Reason is QuarantineReason.Localizer or QuarantineReason.SecondaryCapture;
}

/// <summary>PixelPaddingValue to PixelPaddingRangeLimit, both included, in stored values (PS3.3 §C.7.5.1.1.2).</summary>
public readonly record struct PaddingRange(int First, int Last);

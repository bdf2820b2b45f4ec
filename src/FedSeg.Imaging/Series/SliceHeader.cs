using System.Security.Cryptography;
using System.Text;
using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>What the header of one single-frame image file says, read without its pixels.</summary>
public sealed record SliceHeader
{
    public required string Path { get; init; }

    public required string SopClassUid { get; init; }

    public required string SopInstanceUid { get; init; }

    public required string StudyUid { get; init; }

    public required string SeriesUid { get; init; }

    /// <summary><see langword="null"/> where the file has none.</summary>
    public required string? FrameOfReferenceUid { get; init; }

    public required string Modality { get; init; }

    /// <summary>Hexadecimal SHA-256 of issuer and PatientID.</summary>
    public required string PatientKey { get; init; }

    public required int Rows { get; init; }

    public required int Columns { get; init; }

    /// <summary>Why the file can't be a slice of a volume, in a few words; <see langword="null"/> when it can.</summary>
    public required string? Obstacle { get; init; }

    /// <summary>A scout image, not part of the volume.</summary>
    public required bool IsLocalizer { get; init; }

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

    /// <summary>The stored value that stands for "outside the scanner's field of view"; <see langword="null"/> where none is named.</summary>
    public int? PaddingValue { get; init; }

    public double RescaleSlope { get; init; } = 1;

    public double RescaleIntercept { get; init; }

    /// <summary>Reads a header that has Rows. Geometry that is absent is an <see cref="Obstacle"/>, not a fault.</summary>
    /// <exception cref="DicomException">An identifier is absent or a value is impossible.</exception>
    public static SliceHeader Of(DicomFile file)
    {
        var set = file.DataSet;
        var header = new SliceHeader
        {
            Path = file.Path,
            SopClassUid = set.RequiredText(Tags.SopClassUid),
            SopInstanceUid = set.RequiredText(Tags.SopInstanceUid),
            StudyUid = set.RequiredText(Tags.StudyInstanceUid),
            SeriesUid = set.RequiredText(Tags.SeriesInstanceUid),
            FrameOfReferenceUid = set.Text(Tags.FrameOfReferenceUid),
            Modality = set.Text(Tags.Modality) ?? "OT",
            PatientKey = KeyOf(set),
            Rows = set.RequiredWholeNumber(Tags.Rows),
            Columns = set.RequiredWholeNumber(Tags.Columns),
            Obstacle = ObstacleIn(set),
            IsLocalizer = set.Texts(Tags.ImageType).Contains("LOCALIZER"),
        };
        if (header.Obstacle is not null)
        {
            return header;
        }

        var spacing = set.RequiredNumbers(Tags.PixelSpacing, 2);
        var position = set.RequiredNumbers(Tags.ImagePositionPatient, 3);
        var orientation = set.RequiredNumbers(Tags.ImageOrientationPatient, 6);
        return header with
        {
            RowSpacingMm = spacing[0],
            ColumnSpacingMm = spacing[1],
            PositionMm = new(position[0], position[1], position[2]),
            ColumnDirection = new(orientation[0], orientation[1], orientation[2]),
            RowDirection = new(orientation[3], orientation[4], orientation[5]),
            PaddingValue = PaddingOf(set),
            RescaleSlope = set.Number(Tags.RescaleSlope) ?? 1,
            RescaleIntercept = set.Number(Tags.RescaleIntercept) ?? 0,
        };
    }

    private static string? ObstacleIn(DataSet set) =>
        set.WholeNumber(Tags.NumberOfFrames) is > 1 ? "it is an enhanced multi-frame image, which is not read yet"
        : set.WholeNumber(Tags.Rows) is not (> 0 and <= ushort.MaxValue) || set.WholeNumber(Tags.Columns) is not (> 0 and <= ushort.MaxValue) ? "it has no rows or columns"
        : set.WholeNumber(Tags.SamplesPerPixel) is > 1 ? "it is a colour image"
        : set.Find(Tags.ModalityLutSequence) is { Items.Count: > 0 } ? $"its values go through a modality look-up table {Tags.ModalityLutSequence}"
        : set.Numbers(Tags.PixelSpacing).Count != 2 ? $"it has no {Tags.PixelSpacing}"
        : set.Numbers(Tags.ImagePositionPatient).Count != 3 ? $"it has no {Tags.ImagePositionPatient}"
        : set.Numbers(Tags.ImageOrientationPatient).Count != 6 ? $"it has no {Tags.ImageOrientationPatient}"
        : set.Numbers(Tags.PixelSpacing).Any(spacing => spacing <= 0) ? $"its {Tags.PixelSpacing} is not positive"
        : set.Number(Tags.RescaleSlope) is 0 ? $"its {Tags.RescaleSlope} is zero"
        : null;

    /// <summary>The value is signed when the pixels are, whatever an Implicit VR dictionary says (PS3.3 §C.7.5.1.1.2).</summary>
    private static int? PaddingOf(DataSet set) =>
        set.WholeNumber(Tags.PixelPaddingValue) is not { } value ? null
        : set.WholeNumber(Tags.PixelRepresentation) == 1 && value > short.MaxValue ? value - 65536
        : value;

    private static string KeyOf(DataSet set) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{set.Text(Tags.IssuerOfPatientId)}\n{set.Text(Tags.PatientId)}")));
}

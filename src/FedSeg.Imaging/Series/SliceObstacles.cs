using FedSeg.Dicom.DataSets;
using FedSeg.Imaging.Cases;

namespace FedSeg.Imaging.Series;

/// <summary>What keeps an image from being a slice of a volume.</summary>
internal static class SliceObstacles
{
    /// <summary>Secondary capture and its multi-frame kin, PS3.3 §A.8.</summary>
    private const string SecondaryCaptureStorage = "1.2.840.10008.5.1.4.1.1.7";

    /// <summary>NumberOfImagesInMosaic of Siemens, where the group belongs to "SIEMENS MR HEADER".</summary>
    private static readonly DicomTag MosaicImages = new(0x0019, 0x100A);
    private static readonly DicomTag MosaicCreator = new(0x0019, 0x0010);

    /// <summary>An obstacle that the whole file has.</summary>
    public static SliceObstacle? InFile(DataSet set)
    {
        var type = set.Texts(Tags.ImageType);
        var sopClass = set.Text(Tags.SopClassUid) ?? "";
        return type.Contains("LOCALIZER") ? new(QuarantineReason.Localizer, $"is a localizer {Tags.ImageType}")
            : sopClass == SecondaryCaptureStorage || sopClass.StartsWith(SecondaryCaptureStorage + ".", StringComparison.Ordinal)
                || type.Any(value => value is "SCREEN SAVE" or "SECONDARY CAPTURE")
                ? new(QuarantineReason.SecondaryCapture, $"is a secondary capture {Tags.SopClassUid}")
            : set.Text(Tags.BurnedInAnnotation) == "YES" ? new(QuarantineReason.BurnedInAnnotation, "has text burned into its pixels "
                + $"{Tags.BurnedInAnnotation}")
            : type.Contains("MOSAIC") || IsSiemensMosaic(set) ? new(QuarantineReason.Mosaic, "is a mosaic of many slices in one picture")
            : Unsupported(set);
    }

    /// <summary>An obstacle of one frame: no place in the patient.</summary>
    public static SliceObstacle? InFrame(FrameAttributes frame)
    {
        var measures = frame.Group(Tags.PixelMeasuresSequence);
        return measures?.Numbers(Tags.PixelSpacing).Count != 2 ? Image($"has no {Tags.PixelSpacing}")
            : frame.Group(Tags.PlanePositionSequence)?.Numbers(Tags.ImagePositionPatient).Count != 3
            ? Image($"has no {Tags.ImagePositionPatient}")
            : frame.Group(Tags.PlaneOrientationSequence)?.Numbers(Tags.ImageOrientationPatient).Count != 6
            ? Image($"has no {Tags.ImageOrientationPatient}")
            : measures.Numbers(Tags.PixelSpacing).Any(spacing => spacing <= 0) ? Image($"has a {Tags.PixelSpacing} that is not positive")
            : frame.Group(Tags.PixelValueTransformationSequence)?.Number(Tags.RescaleSlope) is 0
            ? Image($"has a {Tags.RescaleSlope} of zero")
            : null;
    }

    private static SliceObstacle? Unsupported(DataSet set) =>
        set.WholeNumber(Tags.NumberOfFrames) is > 1 && !FrameAttributes.AreGroupedIn(set) ? Image("has several frames, but does not say "
            + "where each lies")
        : set.Find(Tags.ConcatenationUid) is not null ? Image($"is a part of a concatenation {Tags.ConcatenationUid}")
        : set.WholeNumber(Tags.Rows) is not (> 0 and <= ushort.MaxValue)
        || set.WholeNumber(Tags.Columns) is not (> 0 and <= ushort.MaxValue) ? Image("has no rows or columns")
        : set.WholeNumber(Tags.SamplesPerPixel) is > 1 ? Image("is a colour image")
        : set.Text(Tags.PhotometricInterpretation) is "PALETTE COLOR" ? Image("is a colour image")
        : set.Find(Tags.FloatPixelData) is not null || set.Find(Tags.DoubleFloatPixelData) is not null ? Image("has floating-point pixels")
        : null;

    private static bool IsSiemensMosaic(DataSet set) =>
        set.Text(MosaicCreator) == "SIEMENS MR HEADER" && set.Find(MosaicImages) is not null;

    private static SliceObstacle Image(string detail) => new(QuarantineReason.UnsupportedImage, detail);
}

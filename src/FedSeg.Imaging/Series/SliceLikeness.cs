using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>What two slices of one volume must share.</summary>
internal static class SliceLikeness
{
    public static bool SharesPlane(SliceHeader a, SliceHeader b, SeriesOptions options) =>
        Alike(a.ColumnDirection, b.ColumnDirection, options.OrientationTolerance)
            && Alike(a.RowDirection, b.RowDirection, options.OrientationTolerance);

    /// <summary>Size, pixel spacing and frame of reference.</summary>
    public static bool SharesPixels(SliceHeader a, SliceHeader b, SeriesOptions options) =>
        a.Rows == b.Rows && a.Columns == b.Columns && a.FrameOfReferenceUid == b.FrameOfReferenceUid
        && Alike(a.RowSpacingMm, b.RowSpacingMm, options.PixelSpacingRelativeTolerance)
        && Alike(a.ColumnSpacingMm, b.ColumnSpacingMm, options.PixelSpacingRelativeTolerance);

    public static bool SharesOrigin(SliceHeader a, SliceHeader b) =>
        a.StudyUid == b.StudyUid && a.Modality == b.Modality && a.PatientKey == b.PatientKey;

    /// <summary>Equal but for a part of <paramref name="b"/>.</summary>
    public static bool Alike(double a, double b, double relativeTolerance) => Math.Abs(a - b) <= relativeTolerance * Math.Abs(b);

    private static bool Alike(Vector3D a, Vector3D b, double tolerance) =>
        Math.Abs(a.X - b.X) <= tolerance && Math.Abs(a.Y - b.Y) <= tolerance && Math.Abs(a.Z - b.Z) <= tolerance;
}

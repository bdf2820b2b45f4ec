namespace FedSeg.Federation.Fingerprints;

/// <summary>
/// Fixed bins: every site uses the same ones, so that sketches add up. A value below the first bin counts in the first, one above the last
/// in the last.
/// </summary>
/// <param name="Lower">Lower edge of bin 0, in the quantity's unit.</param>
/// <param name="Width">Width of a bin.</param>
/// <param name="Count">Number of bins.</param>
public sealed record SketchBins(double Lower, double Width, int Count)
{
    /// <summary>Voxel spacing, mm: 0 to 40.</summary>
    public static SketchBins SpacingMm { get; } = new(0, 0.05, 800);

    /// <summary>Voxels along an axis: 0 to 4096.</summary>
    public static SketchBins Voxels { get; } = new(0, 8, 512);

    /// <summary>Physical extent along an axis, mm: 0 to 4096.</summary>
    public static SketchBins ExtentMm { get; } = new(0, 8, 512);

    /// <summary>Voxels left by cropping as a share of all, 0 to 1: sixteenths, so that the planner's threshold of 3/4 lies between two bins.</summary>
    public static SketchBins ShareKept { get; } = new(0, 1.0 / 16, 17);

    /// <summary>CT: one bin for each whole HU from −1024 to 3071.</summary>
    public static SketchBins HounsfieldUnits { get; } = new(-1024, 1, 4096);

    /// <summary>
    /// Where intensities have no common unit (MR): standard deviations from the mean of the case's own image, −16 to 16. They show a shift
    /// between scanners; normalisation doesn't need them, because such images are normalised each by itself.
    /// </summary>
    public static SketchBins ImageDeviations { get; } = new(-16, 1.0 / 64, 2048);

    /// <summary>The bins of a modality's intensities.</summary>
    public static SketchBins IntensityOf(string modality) => modality == "CT" ? HounsfieldUnits : ImageDeviations;

    /// <summary>The bin a value counts in.</summary>
    public int IndexOf(double value) => (int)Math.Clamp(Math.Floor((value - Lower) / Width), 0, Count - 1);

    /// <summary>
    /// Whether the mean of a bin's values can be this: within its edges, up to rounding. The first and the last bin hold what lies beyond them too; where bins begin at 0,
    /// so do the values, and none is 0.
    /// </summary>
    internal bool MayHold(int index, double mean)
    {
        var (lower, upper, rounding) = (Lower + index * Width, Lower + (index + 1) * Width, 1e-6 * Width);
        return (index == 0 ? Lower != 0 || mean > 0 : mean >= lower - rounding) && (index == Count - 1 || mean <= upper + rounding);
    }
}

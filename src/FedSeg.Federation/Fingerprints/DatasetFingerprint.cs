using System.Collections.Immutable;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Fingerprints;

/// <summary>
/// What a planner may know of all cases together. Axes are <c>[z, y, x]</c>, shapes those of the images cropped to their nonzero box. Two
/// kinds: <see cref="ListedFingerprint"/> knows every case,
/// <see cref="SketchedFingerprint"/> only what several sites let out.
/// </summary>
public abstract record DatasetFingerprint
{
    private protected DatasetFingerprint() { }

    /// <summary>Number of cases.</summary>
    public required int Cases { get; init; }

    /// <summary>Output classes of a network: background and labels.</summary>
    public required int Classes { get; init; }

    /// <summary>DICOM modality: <c>MR</c> or <c>CT</c>.</summary>
    public required string Modality { get; init; }

    /// <summary>Foreground intensities of all cases, HU; <see langword="null"/> where the modality has no common unit.</summary>
    public required ForegroundIntensity? Intensity { get; init; }

    /// <summary>Median share of an image's voxels that cropping to the nonzero box leaves, above 0 to 1.</summary>
    public abstract double MedianShareKept();

    /// <summary>
    /// A quantile of the voxel spacing along an axis, mm; <paramref name="share"/> 0 to 1, linear between order statistics.
    /// </summary>
    public abstract double SpacingQuantile(int axis, double share);

    /// <summary>Median of the voxel count along an axis.</summary>
    public abstract double MedianShape(int axis);

    /// <summary>Median of the voxel count along an axis after resampling to <paramref name="spacingMm"/>.</summary>
    public abstract double MedianShapeAt(int axis, double spacingMm);
}

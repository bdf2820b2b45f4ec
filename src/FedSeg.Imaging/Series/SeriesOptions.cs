namespace FedSeg.Imaging.Series;

/// <summary>
/// How exact a stack of slices must be to count as one volume, and which faults are mended instead of refused. By default none is. The
/// tolerances are highdicom's, but for those with a reason.
/// </summary>
public sealed class SeriesOptions
{
    /// <summary>The defaults of every property.</summary>
    public static SeriesOptions Default { get; } = new();

    /// <summary>Largest difference of a component of ImageOrientationPatient between slices.</summary>
    public double OrientationTolerance { get; init; } = 1e-4;

    /// <summary>Largest cosine between the two directions of ImageOrientationPatient.</summary>
    public double OrthogonalityTolerance { get; init; } = 1e-4;

    /// <summary>
    /// Largest deviation of a direction's length from 1; directions are normalised within it. Wider than the others: headers with three
    /// decimals are common and harmless.
    /// </summary>
    public double UnitLengthTolerance { get; init; } = 1e-3;

    /// <summary>Largest relative difference of pixel spacing between slices.</summary>
    public double PixelSpacingRelativeTolerance { get; init; } = 1e-4;

    /// <summary>Largest relative difference of the distance between neighbouring slices.</summary>
    public double SpacingRelativeTolerance { get; init; } = 1e-2;

    /// <summary>
    /// Farthest that a slice may lie from its plane in an even stack, as a part of the spacing: small errors must not add up.
    /// </summary>
    public double PlaneDriftTolerance { get; init; } = 0.1;

    /// <summary>Slices closer than this, mm, stand at the same position.</summary>
    public double DuplicateDistanceMm { get; init; } = 1e-3;

    /// <summary>
    /// Largest angle, degrees, between the slices' normal and the line of their positions; beyond it the gantry was tilted.
    /// </summary>
    public double MaxTiltDegrees { get; init; } = 0.1;

    /// <summary>Farthest that one slice may lie from the line of positions, as a part of the pixel spacing.</summary>
    public double InPlaneShiftTolerance { get; init; } = 0.1;

    /// <summary>Most voxels of one volume.</summary>
    public long MaxVoxels { get; init; } = 500_000_000;

    /// <summary>Fill missing slices with "outside the field of view" and say which; by default a stack with gaps is refused.</summary>
    public bool FillGaps { get; init; }

    /// <summary>Straighten a tilted stack by moving each slice in its plane (linear interpolation); by default it is refused.</summary>
    public bool ResampleTilt { get; init; }

    /// <summary>
    /// Take slices of different orientation, size, pixel spacing or frame of reference as stacks of their own; by default such a series is
    /// refused.
    /// </summary>
    public bool SplitMixedGeometry { get; init; }
}

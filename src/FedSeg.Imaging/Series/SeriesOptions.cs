namespace FedSeg.Imaging.Series;

/// <summary>How exact a stack of slices must be to count as one volume. What is outside is refused, never mended.</summary>
public sealed class SeriesOptions
{
    /// <summary>The defaults of every property.</summary>
    public static SeriesOptions Default { get; } = new();

    /// <summary>Largest difference of a component of ImageOrientationPatient between slices, and of the two directions from being orthogonal unit vectors.</summary>
    public double OrientationTolerance { get; init; } = 1e-3;

    /// <summary>Largest relative difference of pixel spacing and of the distance between neighbouring slices.</summary>
    public double SpacingRelativeTolerance { get; init; } = 1e-2;

    /// <summary>Slices closer than this, mm, stand at the same position.</summary>
    public double DuplicateDistanceMm { get; init; } = 1e-3;

    /// <summary>Largest angle, degrees, between the slices' normal and the line of their positions; beyond it the gantry was tilted.</summary>
    public double MaxTiltDegrees { get; init; } = 0.1;

    /// <summary>Farthest that one slice may lie from the line of positions, as a part of the pixel spacing.</summary>
    public double InPlaneShiftTolerance { get; init; } = 0.1;

    /// <summary>Most voxels of one volume.</summary>
    public long MaxVoxels { get; init; } = 500_000_000;
}

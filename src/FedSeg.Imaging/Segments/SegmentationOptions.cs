namespace FedSeg.Imaging.Segments;

/// <summary>How segmentations are read.</summary>
public sealed class SegmentationOptions
{
    /// <summary>The defaults of every property.</summary>
    public static SegmentationOptions Default { get; } = new();

    /// <summary>
    /// A voxel of a fractional segmentation of probabilities belongs to the segment from this probability on. Above 0, to 1.
    /// </summary>
    public double ProbabilityThreshold { get; init; } = 0.5;

    /// <summary>
    /// A voxel of a fractional segmentation of occupancies belongs to the segment if it lies in it with this part of its volume. Above 0,
    /// to 1.
    /// </summary>
    public double OccupancyThreshold { get; init; } = 0.5;

    /// <summary>Farthest that a frame's corner may lie from a voxel centre of the image, in voxels.</summary>
    public double PlacementToleranceVoxels { get; init; } = 0.1;

    /// <summary>Farthest that a contour may lie from the image's plane that it is given to, in slices; at most 0.5.</summary>
    public double ContourPlaneToleranceVoxels { get; init; } = 0.45;

    /// <summary>Farthest that a point of a contour may leave the contour's plane, in slices.</summary>
    public double ContourFlatnessVoxels { get; init; } = 0.1;
}

namespace FedSeg.Imaging.Metrics;

/// <summary>What a comparison needs to be told.</summary>
public sealed class MetricsOptions
{
    /// <summary>Tolerance of the normalised surface distance and of surface Dice, mm; finite and at least 0.</summary>
    public double ToleranceMm { get; init; } = 1;
}

/// <summary>Which of the two masks of a label has no voxel.</summary>
public enum Emptiness
{
    None,
    ReferenceEmpty,
    PredictionEmpty,
    BothEmpty,
}

/// <summary>
/// How well one label agrees. Counts in voxels, distances in mm. Two definitions of a surface stand side by side, since their figures
/// differ visibly: boundary voxels of weight 1 (MONAI, MetricsReloaded), and surfels weighted by their area (DeepMind's surface-distance),
/// the latter under names that begin with Surface. Both masks empty: every value NaN. One empty: overlaps, <see cref="Nsd"/> and
/// <see cref="SurfaceDice"/> 0, distances NaN; <see cref="Emptiness"/> says which.
/// </summary>
public sealed record LabelMetrics
{
    public required byte Label { get; init; }

    public required Emptiness Emptiness { get; init; }

    /// <summary>Voxels in both masks.</summary>
    public required long Tp { get; init; }

    /// <summary>Voxels in the prediction only.</summary>
    public required long Fp { get; init; }

    /// <summary>Voxels in the reference only.</summary>
    public required long Fn { get; init; }

    /// <summary>2TP / (2TP + FP + FN).</summary>
    public double Dice { get; init; } = double.NaN;

    /// <summary>TP / (TP + FP + FN).</summary>
    public double Iou { get; init; } = double.NaN;

    /// <summary>1 − |FN − FP| / (2TP + FP + FN).</summary>
    public double VolumeSimilarity { get; init; } = double.NaN;

    /// <summary>|predicted − reference volume| / reference volume; infinite where only the reference is empty.</summary>
    public double RelativeVolumeDifference { get; init; } = double.NaN;

    /// <summary>Hausdorff distance.</summary>
    public double Hd { get; init; } = double.NaN;

    /// <summary>The larger of the two directed 95th percentiles, linear between order statistics.</summary>
    public double Hd95 { get; init; } = double.NaN;

    /// <summary>Mean distance over all boundary voxels of both masks.</summary>
    public double Assd { get; init; } = double.NaN;

    /// <summary>Mean of the two directed mean distances.</summary>
    public double Masd { get; init; } = double.NaN;

    /// <summary>Share of boundary voxels of both masks within <see cref="MetricsOptions.ToleranceMm"/> of the other boundary.</summary>
    public double Nsd { get; init; } = double.NaN;

    /// <summary>Share of both surfaces, by area, within <see cref="MetricsOptions.ToleranceMm"/> of the other surface.</summary>
    public double SurfaceDice { get; init; } = double.NaN;

    /// <summary>
    /// The larger of the two distances within which 95 % of each surface's area is of the other surface; not interpolated.
    /// </summary>
    public double SurfaceHd95 { get; init; } = double.NaN;
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Distances (mm) between the boundaries of two masks in the voxel-boundary definition of MONAI and MetricsReloaded: a boundary voxel is in
/// the mask and has a face neighbour outside it (outside the image is outside the mask); each counts once. A single slice is
/// two-dimensional.
/// </summary>
internal sealed class BoundaryDistances
{
    private readonly double[] toPrediction;
    private readonly double[] toReference;

    private BoundaryDistances(double[] toPrediction, double[] toReference)
    {
        this.toPrediction = toPrediction;
        this.toReference = toReference;
    }

    public double Hausdorff => Math.Max(toPrediction[^1], toReference[^1]);

    /// <summary>ASSD: mean over all boundary voxels of both masks.</summary>
    public double MeanSymmetric => (toPrediction.Sum() + toReference.Sum()) / (toPrediction.Length + toReference.Length);

    /// <summary>MASD: mean of the two directed means.</summary>
    public double MeanOfDirected => (toPrediction.Average() + toReference.Average()) / 2;

    /// <param name="reference">A mask with at least one voxel.</param>
    /// <param name="prediction">Another on the same box.</param>
    /// <param name="spacingMm">Of the box.</param>
    public static BoundaryDistances Between(LabelMask reference, LabelMask prediction, Vector3D spacingMm)
    {
        var (ours, theirs) = (reference.Boundary(), prediction.Boundary());
        var transform = new DistanceTransform(reference.Size, spacingMm);
        return new BoundaryDistances(Sorted(transform.Squared(theirs), ours), Sorted(transform.Squared(ours), theirs));
    }

    /// <summary>The larger of the two directed percentiles, linear between order statistics.</summary>
    public double HausdorffPercentile(double percent) => Math.Max(Percentile(toPrediction, percent), Percentile(toReference, percent));

    /// <summary>NSD: share of boundary voxels within the tolerance.</summary>
    public double ShareWithin(double toleranceMm)
    {
        var near = toPrediction.Count(d => d <= toleranceMm) + toReference.Count(d => d <= toleranceMm);
        return (double)near / (toPrediction.Length + toReference.Length);
    }

    private static double[] Sorted(ReadOnlySpan<double> squared, int[] boundary)
    {
        var distances = new double[boundary.Length];
        for (var i = 0; i < distances.Length; i++) distances[i] = Math.Sqrt(squared[boundary[i]]);
        Array.Sort(distances);
        return distances;
    }

    private static double Percentile(double[] sorted, double percent)
    {
        var at = percent / 100 * (sorted.Length - 1);
        var below = (int)Math.Floor(at);
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
    }
}

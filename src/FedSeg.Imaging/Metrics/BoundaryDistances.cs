using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Distances (mm) between the boundaries of two masks in the voxel-boundary definition of MONAI and MetricsReloaded: a boundary voxel is in the
/// mask and has a face neighbour outside it (outside the image is outside the mask); each counts once. A grid one voxel thick is two-dimensional.
/// </summary>
internal sealed class BoundaryDistances
{
    private readonly double[] toPrediction;
    private readonly double[] toReference;

    /// <summary>Both masks must have a voxel.</summary>
    public BoundaryDistances(bool[] reference, bool[] prediction, Index3 size, Vector3D spacingMm, Func<int, bool> isFlat)
    {
        var a = Boundary(reference, size, isFlat);
        var b = Boundary(prediction, size, isFlat);
        toPrediction = Sorted(a, DistanceTransform.Squared(b, size, spacingMm));
        toReference = Sorted(b, DistanceTransform.Squared(a, size, spacingMm));
    }

    public double Hausdorff => Math.Max(toPrediction[^1], toReference[^1]);

    /// <summary>The larger of the two directed percentiles, linear between order statistics.</summary>
    public double HausdorffPercentile(double percent) => Math.Max(Percentile(toPrediction, percent), Percentile(toReference, percent));

    /// <summary>ASSD: mean over all boundary voxels of both masks.</summary>
    public double MeanSymmetric => (toPrediction.Sum() + toReference.Sum()) / (toPrediction.Length + toReference.Length);

    /// <summary>MASD: mean of the two directed means.</summary>
    public double MeanOfDirected => (toPrediction.Average() + toReference.Average()) / 2;

    /// <summary>NSD: share of boundary voxels within the tolerance.</summary>
    public double NormalisedSurfaceDice(double toleranceMm) =>
        (double)(toPrediction.Count(d => d <= toleranceMm) + toReference.Count(d => d <= toleranceMm)) / (toPrediction.Length + toReference.Length);

    private static bool[] Boundary(bool[] mask, Index3 size, Func<int, bool> isFlat)
    {
        int[] sizes = [size.Z, size.Y, size.X];
        int[] strides = [size.Y * size.X, size.X, 1];
        var boundary = new bool[mask.Length];
        for (var axis = 0; axis < 3; axis++)
        {
            if (isFlat(axis)) continue;
            var (stride, last) = (strides[axis], sizes[axis] - 1);
            for (var i = 0; i < mask.Length; i++)
            {
                if (!mask[i] || boundary[i]) continue;
                var k = i / stride % sizes[axis];
                boundary[i] = k == 0 || k == last || !mask[i - stride] || !mask[i + stride];
            }
        }

        return boundary;
    }

    private static double[] Sorted(bool[] at, double[] squared)
    {
        var distances = new List<double>();
        for (var i = 0; i < at.Length; i++)
        {
            if (at[i]) distances.Add(Math.Sqrt(squared[i]));
        }

        distances.Sort();
        return [.. distances];
    }

    private static double Percentile(double[] sorted, double percent)
    {
        var at = percent / 100 * (sorted.Length - 1);
        var below = (int)Math.Floor(at);
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
    }
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>Distances (mm) between the surfaces of two masks, both ways.</summary>
/// <param name="ToPrediction">From the reference's surface to the prediction's.</param>
/// <param name="ToReference">From the prediction's surface to the reference's.</param>
internal sealed record SurfaceDistances(DirectedDistances ToPrediction, DirectedDistances ToReference)
{
    public double Hausdorff => Math.Max(ToPrediction.Largest, ToReference.Largest);

    /// <summary>ASSD: mean over both surfaces together.</summary>
    public double MeanSymmetric => (ToPrediction.Sum + ToReference.Sum) / (ToPrediction.Total + ToReference.Total);

    /// <summary>MASD: mean of the two directed means.</summary>
    public double MeanOfDirected => (ToPrediction.Mean + ToReference.Mean) / 2;

    /// <param name="reference">A surface with at least one piece.</param>
    /// <param name="prediction">Another on the same box.</param>
    /// <param name="spacingMm">Of the box.</param>
    public static SurfaceDistances Between(SurfaceMap reference, SurfaceMap prediction, Vector3D spacingMm)
    {
        var nearby = new NearbySearch(spacingMm);
        return new SurfaceDistances(Measure(nearby, reference, prediction, spacingMm), Measure(nearby, prediction, reference, spacingMm));
    }

    private static DirectedDistances Measure(NearbySearch nearby, SurfaceMap from, SurfaceMap to, Vector3D spacingMm)
    {
        var far = new BitGrid(from.Size);
        var slices = new Dictionary<double, double>[from.Size.Z];
        Parallel.For(0, slices.Length, z => slices[z] = nearby.WeightBySquaredDistance(from, to.Points, z, far));
        if (far.IsEmpty) return new DirectedDistances(slices);
        var transform = new DistanceTransform(from.Size, spacingMm);
        return new DirectedDistances(slices.Concat(transform.WeightBySquaredDistance(far, from, to.Points)));
    }

    /// <summary>The larger of the two directed percentiles, linear between order statistics; for pieces of weight 1.</summary>
    public double HausdorffPercentile(double percent) => Math.Max(ToPrediction.Percentile(percent), ToReference.Percentile(percent));

    /// <summary>The larger of the two distances at which this share of each surface's weight is reached.</summary>
    public double WeightedHausdorffPercentile(double percent) =>
        Math.Max(ToPrediction.WeightedPercentile(percent), ToReference.WeightedPercentile(percent));

    /// <summary>Share of both surfaces within the tolerance of the other.</summary>
    public double ShareWithin(double toleranceMm) =>
        (ToPrediction.WeightWithin(toleranceMm) + ToReference.WeightWithin(toleranceMm)) / (ToPrediction.Total + ToReference.Total);
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Compares a predicted label map with its reference, label by label, each in the box that holds it in both.
/// Definitions: Maier-Hein et al., "Metrics reloaded", Nature Methods 21, 2024.
/// </summary>
public static class SegmentationMetrics
{
    /// <returns>One record for each label but background that occurs in either map, ascending.</returns>
    /// <exception cref="ArgumentException">The maps are not on one grid, or the tolerance is not a finite number of at least 0.</exception>
    public static IReadOnlyList<LabelMetrics> Compute(LabelVolume reference, LabelVolume prediction, MetricsOptions options)
    {
        Require(reference, prediction, options);
        var overlaps = LabelOverlap.Scan(reference, prediction);
        var metrics = new List<LabelMetrics>();
        for (var label = 1; label < overlaps.Length; label++)
        {
            if (overlaps[label] is { } overlap) metrics.Add(Measure(reference, prediction, (byte)label, overlap, options));
        }

        return metrics;
    }

    /// <returns>One record for each of the labels asked for, in their order, also for one that occurs in neither map.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Compute(LabelVolume, LabelVolume, MetricsOptions)"/>.</exception>
    public static IReadOnlyList<LabelMetrics> Compute(
        LabelVolume reference, LabelVolume prediction, IEnumerable<byte> labels, MetricsOptions options)
    {
        Require(reference, prediction, options);
        var overlaps = LabelOverlap.Scan(reference, prediction);
        return [.. labels.Select(label => Measure(reference, prediction, label, overlaps[label] ?? new LabelOverlap(), options))];
    }

    private static LabelMetrics Measure(
        LabelVolume reference, LabelVolume prediction, byte label, LabelOverlap overlap, MetricsOptions options)
    {
        var (tp, fp, fn) = (overlap.InBoth, overlap.InPredictionOnly, overlap.InReferenceOnly);
        var counts = new LabelMetrics { Label = label, Emptiness = overlap.Emptiness, Tp = tp, Fp = fp, Fn = fn };
        if (overlap.Emptiness == Emptiness.BothEmpty) return counts;

        double total = 2 * tp + fp + fn;
        var overlaps = counts with
        {
            Dice = 2 * tp / total,
            Iou = (double)tp / (tp + fp + fn),
            VolumeSimilarity = 1 - Math.Abs(fn - fp) / total,
            RelativeVolumeDifference = Math.Abs(fp - fn) / (double)(tp + fn),
        };
        if (overlap.Emptiness != Emptiness.None) return overlaps with { Nsd = 0, SurfaceDice = 0 };

        var spacing = reference.Grid.SpacingMm;
        var (ours, theirs) = (new LabelMask(reference, label, overlap), new LabelMask(prediction, label, overlap));
        return WithSurfels(WithBoundaries(overlaps, ours, theirs, spacing, options), ours, theirs, spacing, options);
    }

    private static LabelMetrics WithBoundaries(
        LabelMetrics metrics, LabelMask reference, LabelMask prediction, Vector3D spacingMm, MetricsOptions options)
    {
        var distances = SurfaceDistances.Between(VoxelBoundary.Of(reference), VoxelBoundary.Of(prediction), spacingMm);
        return metrics with
        {
            Hd = distances.Hausdorff,
            Hd95 = distances.HausdorffPercentile(95),
            Assd = distances.MeanSymmetric,
            Masd = distances.MeanOfDirected,
            Nsd = distances.ShareWithin(options.ToleranceMm),
        };
    }

    private static LabelMetrics WithSurfels(
        LabelMetrics metrics, LabelMask reference, LabelMask prediction, Vector3D spacingMm, MetricsOptions options)
    {
        var distances = SurfaceDistances.Between(SurfelBoundary.Of(reference, spacingMm), SurfelBoundary.Of(prediction, spacingMm), spacingMm);
        return metrics with
        {
            SurfaceDice = distances.ShareWithin(options.ToleranceMm),
            SurfaceHd95 = distances.WeightedHausdorffPercentile(95),
        };
    }

    private static void Require(LabelVolume reference, LabelVolume prediction, MetricsOptions options)
    {
        if (reference.Grid != prediction.Grid)
        {
            throw new ArgumentException(
                $"The reference is on {reference.Grid}, the prediction on {prediction.Grid}: resample one onto the other first.",
                nameof(prediction));
        }

        if (!double.IsFinite(options.ToleranceMm) || options.ToleranceMm < 0)
        {
            throw new ArgumentException($"The tolerance {options.ToleranceMm} mm must be finite and at least 0.", nameof(options));
        }
    }
}

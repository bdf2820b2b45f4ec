using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>What a comparison needs to be told.</summary>
public sealed class MetricsOptions
{
    /// <summary>Tolerance of the normalised surface distance, mm.</summary>
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
/// How well one label agrees. Counts in voxels; distances in mm between voxel boundaries (see <see cref="BoundaryDistances"/>).
/// Both empty: every value NaN. One empty: overlaps and <see cref="Nsd"/> 0, distances NaN; <see cref="Emptiness"/> says which.
/// </summary>
public sealed record LabelMetrics(
    byte Label, long Tp, long Fp, long Fn, double Dice, double Iou, double VolumeSimilarity,
    double Hd, double Hd95, double Assd, double Masd, double Nsd, Emptiness Emptiness);

/// <summary>Compares a predicted label map with its reference, label by label. Definitions: Maier-Hein et al., "Metrics reloaded", Nature Methods 21, 2024.</summary>
public static class SegmentationMetrics
{
    /// <returns>One record for each label but background that occurs in either map, ascending.</returns>
    /// <exception cref="ArgumentException">The maps are not on one grid, or the tolerance is negative.</exception>
    public static IReadOnlyList<LabelMetrics> Compute(LabelVolume reference, LabelVolume prediction, MetricsOptions options)
    {
        if (reference.Grid != prediction.Grid)
        {
            throw new ArgumentException($"The reference is on {reference.Grid}, the prediction on {prediction.Grid}: resample one onto the other first.");
        }

        var occurs = new bool[256];
        foreach (var label in reference.Labels) occurs[label] = true;
        foreach (var label in prediction.Labels) occurs[label] = true;
        return [.. Enumerable.Range(1, 255).Where(l => occurs[l]).Select(l => ComputeLabel(reference, prediction, (byte)l, options))];
    }

    /// <summary>The record of one label, also when it occurs in neither map.</summary>
    public static LabelMetrics ComputeLabel(LabelVolume reference, LabelVolume prediction, byte label, MetricsOptions options)
    {
        if (reference.Grid != prediction.Grid) throw new ArgumentException("The reference and the prediction are on different grids.");
        if (!(options.ToleranceMm >= 0)) throw new ArgumentException($"The tolerance {options.ToleranceMm} mm must be at least 0.", nameof(options));
        var size = reference.Grid.Size;
        long tp = 0, fp = 0, fn = 0;
        int[] low = [int.MaxValue, int.MaxValue, int.MaxValue], high = [-1, -1, -1];
        var i = 0;
        for (var z = 0; z < size.Z; z++)
        for (var y = 0; y < size.Y; y++)
        for (var x = 0; x < size.X; x++, i++)
        {
            bool a = reference.Labels[i] == label, b = prediction.Labels[i] == label;
            if (!a && !b) continue;
            if (a && b) tp++; else if (b) fp++; else fn++;
            (low[0], low[1], low[2]) = (Math.Min(low[0], z), Math.Min(low[1], y), Math.Min(low[2], x));
            (high[0], high[1], high[2]) = (Math.Max(high[0], z), Math.Max(high[1], y), Math.Max(high[2], x));
        }

        var emptiness = (tp + fn, tp + fp) switch
        {
            (0, 0) => Emptiness.BothEmpty,
            (0, _) => Emptiness.ReferenceEmpty,
            (_, 0) => Emptiness.PredictionEmpty,
            _ => Emptiness.None,
        };
        const double Nan = double.NaN;
        if (emptiness == Emptiness.BothEmpty) return new LabelMetrics(label, 0, 0, 0, Nan, Nan, Nan, Nan, Nan, Nan, Nan, Nan, emptiness);
        if (emptiness != Emptiness.None) return new LabelMetrics(label, 0, fp, fn, 0, 0, 0, Nan, Nan, Nan, Nan, 0, emptiness);

        var box = new Index3(high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1);
        bool IsFlat(int axis) => (axis == 0 ? size.Z : axis == 1 ? size.Y : size.X) == 1;
        var distances = new BoundaryDistances(
            Crop(reference, label, low, box), Crop(prediction, label, low, box), box, reference.Grid.SpacingMm, IsFlat);
        double total = 2 * tp + fp + fn;
        return new LabelMetrics(
            label, tp, fp, fn, 2 * tp / total, (double)tp / (tp + fp + fn), 1 - Math.Abs(fn - fp) / total,
            distances.Hausdorff, distances.HausdorffPercentile(95), distances.MeanSymmetric, distances.MeanOfDirected,
            distances.NormalisedSurfaceDice(options.ToleranceMm), emptiness);
    }

    private static bool[] Crop(LabelVolume labels, byte label, int[] low, Index3 box)
    {
        var mask = new bool[box.Z * box.Y * box.X];
        var i = 0;
        for (var z = 0; z < box.Z; z++)
        for (var y = 0; y < box.Y; y++)
        {
            var row = ((z + low[0]) * labels.Grid.Size.Y + y + low[1]) * labels.Grid.Size.X + low[2];
            for (var x = 0; x < box.X; x++) mask[i++] = labels.Labels[row + x] == label;
        }

        return mask;
    }
}

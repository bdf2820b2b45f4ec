using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Normalising;

/// <summary>Foreground intensities of a whole data set, HU for CT: what a frozen plan hands to every site.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Deviation">Population standard deviation.</param>
/// <param name="LowerClip">0.5th percentile.</param>
/// <param name="UpperClip">99.5th percentile; above <paramref name="LowerClip"/>.</param>
public sealed record IntensityStatistics(double Mean, double Deviation, double LowerClip, double UpperClip);

/// <summary>
/// Intensity normalisation by the rules of nnU-Net v2, into a buffer of its own. A deviation below 1e-8 counts as 1e-8, so a flat image
/// becomes 0; sums in double, in memory order.
/// </summary>
public static class IntensityNormalisation
{
    private const double SmallestDeviation = 1e-8;

    /// <summary>Per-image z-score: (v − mean) / population standard deviation over all voxels.</summary>
    /// <exception cref="ArgumentException">A voxel is NaN or infinite.</exception>
    public static Volume ZScore(Volume volume) => Score(volume, mask: []);

    /// <summary>Per-image z-score with mean and deviation over the voxels of a mask; outside it every voxel becomes 0.</summary>
    /// <param name="volume">The image.</param>
    /// <param name="mask">One entry a voxel.</param>
    /// <exception cref="ArgumentException">A voxel of the mask is NaN or infinite, or the mask is of another size.</exception>
    public static Volume ZScoreWithin(Volume volume, bool[] mask) => mask.Length == volume.Voxels.Length
        ? Score(volume, mask)
        : throw new ArgumentException($"The mask has {mask.Length} voxels, the image {volume.Voxels.Length}.", nameof(mask));

    /// <summary>CT: clip to the given percentiles, then z-score with the given mean and deviation.</summary>
    /// <exception cref="ArgumentException">
    /// The statistics are not finite, the clip range is empty or reversed, the deviation is negative, or a voxel is NaN.
    /// </exception>
    public static Volume ClipAndZScore(Volume volume, IntensityStatistics statistics)
    {
        var (mean, deviation, lower, upper) = statistics;
        if (!double.IsFinite(mean) || !double.IsFinite(lower) || !double.IsFinite(upper) || lower >= upper)
        {
            throw new ArgumentException(
                $"The intensity statistics {statistics} need finite values and a lower clip below the upper.", nameof(statistics));
        }

        if (!double.IsFinite(deviation) || deviation < 0)
        {
            throw new ArgumentException($"The deviation {deviation} must be finite and at least 0.", nameof(statistics));
        }

        var scale = Math.Max(deviation, SmallestDeviation);
        var scores = new float[volume.Voxels.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            var clipped = Math.Clamp(volume.Voxels[i], lower, upper);
            if (double.IsNaN(clipped)) throw NoNumber(nameof(volume));
            scores[i] = (float)((clipped - mean) / scale);
        }

        return new Volume(volume.Grid, scores);
    }

    /// <param name="volume">The image.</param>
    /// <param name="mask">Which voxels count; none given means all.</param>
    private static Volume Score(Volume volume, ReadOnlySpan<bool> mask)
    {
        var voxels = volume.Voxels;
        var sum = 0.0;
        var count = 0L;
        for (var i = 0; i < voxels.Length; i++)
        {
            if (!IsIn(mask, i)) continue;
            sum += voxels[i];
            count++;
        }

        if (!double.IsFinite(sum)) throw NoNumber(nameof(volume));
        var scores = new float[voxels.Length];
        if (count == 0) return new Volume(volume.Grid, scores);

        // Two passes: Σv² − n·mean² loses all digits on an MR image with a large offset.
        var mean = sum / count;
        var squares = 0.0;
        for (var i = 0; i < voxels.Length; i++)
        {
            if (IsIn(mask, i)) squares += (voxels[i] - mean) * (voxels[i] - mean);
        }

        var deviation = Math.Max(Math.Sqrt(squares / count), SmallestDeviation);
        for (var i = 0; i < scores.Length; i++)
        {
            if (IsIn(mask, i)) scores[i] = (float)((voxels[i] - mean) / deviation);
        }

        return new Volume(volume.Grid, scores);
    }

    private static bool IsIn(ReadOnlySpan<bool> mask, int voxel) => mask.IsEmpty || mask[voxel];

    private static ArgumentException NoNumber(string parameter) =>
        new("The image holds NaN or infinite voxels and cannot be normalised; look for a bad conversion.", parameter);
}

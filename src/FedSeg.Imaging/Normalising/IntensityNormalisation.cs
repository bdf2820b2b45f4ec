using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Normalising;

/// <summary>Foreground intensities of a whole data set, HU for CT: what a frozen plan hands to every site.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Deviation">Population standard deviation.</param>
/// <param name="LowerClip">0.5th percentile.</param>
/// <param name="UpperClip">99.5th percentile; not below <paramref name="LowerClip"/>.</param>
public sealed record IntensityStatistics(double Mean, double Deviation, double LowerClip, double UpperClip);

/// <summary>Intensity normalisation by the rules of nnU-Net v2. A deviation below 1e-8 counts as 1e-8; sums in double, in memory order.</summary>
public static class IntensityNormalisation
{
    private const double SmallestDeviation = 1e-8;

    /// <summary>Per-image z-score: (v − mean) / population standard deviation over all voxels.</summary>
    public static Volume ZScore(Volume volume) => ZScore(volume, _ => true);

    /// <summary>Per-image z-score with mean and deviation over the non-zero voxels only; zero voxels stay 0.</summary>
    public static Volume ZScoreOfNonZero(Volume volume) => ZScore(volume, v => v != 0);

    /// <summary>CT: clip to the given percentiles, then z-score with the given mean and deviation.</summary>
    /// <exception cref="ArgumentException">The clip range is reversed, or a statistic is not finite.</exception>
    public static Volume ClipAndZScore(Volume volume, IntensityStatistics statistics)
    {
        var (mean, deviation, lower, upper) = statistics;
        if (!double.IsFinite(mean + deviation + lower + upper) || lower > upper || deviation < 0)
        {
            throw new ArgumentException($"The intensity statistics {statistics} need finite values, a deviation of at least 0, and lower <= upper clip.", nameof(statistics));
        }

        var scale = Math.Max(deviation, SmallestDeviation);
        return new Volume(volume.Grid, Array.ConvertAll(volume.Voxels, v => (float)((Math.Clamp(v, lower, upper) - mean) / scale)));
    }

    private static Volume ZScore(Volume volume, Func<float, bool> counts)
    {
        double sum = 0;
        long n = 0;
        foreach (var v in volume.Voxels)
        {
            if (!counts(v)) continue;
            sum += v;
            n++;
        }

        var mean = n == 0 ? 0 : sum / n;
        double squares = 0;
        foreach (var v in volume.Voxels)
        {
            if (counts(v)) squares += (v - mean) * (v - mean);
        }

        var deviation = Math.Max(n == 0 ? 0 : Math.Sqrt(squares / n), SmallestDeviation);
        return new Volume(volume.Grid, Array.ConvertAll(volume.Voxels, v => counts(v) ? (float)((v - mean) / deviation) : 0f));
    }
}

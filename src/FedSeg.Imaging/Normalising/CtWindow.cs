using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Normalising;

/// <summary>
/// The frozen standardising of CT: clip to [<see cref="LowHu"/>, <see cref="HighHu"/>], minus <see cref="MeanHu"/>, divided by
/// max(<see cref="DeviationHu"/>, 1e-8). The four numbers describe the foreground of the whole federation (percentiles 0.5 and 99.5, mean,
/// standard deviation) and are the same at every site. Source: nnU-Net v2, CTNormalization.
/// </summary>
public sealed record CtWindow
{
    /// <exception cref="ArgumentException">A number is not finite, the window is empty or turned round, or the deviation is negative.</exception>
    public CtWindow(double lowHu, double highHu, double meanHu, double deviationHu)
    {
        if (!double.IsFinite(lowHu) || !double.IsFinite(highHu) || lowHu >= highHu)
        {
            throw new ArgumentException($"A CT window needs a finite low below its high; got [{lowHu}, {highHu}] HU.", nameof(lowHu));
        }

        if (!double.IsFinite(meanHu)) throw new ArgumentException($"The mean of a CT window must be finite; got {meanHu} HU.", nameof(meanHu));
        if (!double.IsFinite(deviationHu) || deviationHu < 0)
        {
            throw new ArgumentException(
                $"The standard deviation of a CT window must be finite and not negative; got {deviationHu} HU.", nameof(deviationHu));
        }

        (LowHu, HighHu, MeanHu, DeviationHu) = (lowHu, highHu, meanHu, deviationHu);
    }

    public double LowHu { get; }

    public double HighHu { get; }

    public double MeanHu { get; }

    public double DeviationHu { get; }

    /// <summary>The CT, in HU, clipped and standardised, in a buffer of its own.</summary>
    /// <exception cref="ArgumentException">A voxel is NaN, which no clipping can mend.</exception>
    public Volume Normalise(Volume image)
    {
        var deviation = Math.Max(DeviationHu, NormalisingLimits.SmallestDeviation);
        var scores = new float[image.Voxels.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            var clipped = Math.Clamp(image.Voxels[i], LowHu, HighHu);
            if (double.IsNaN(clipped)) throw new ArgumentException($"Voxel {i} of the image is NaN; it cannot be standardised.", nameof(image));
            scores[i] = (float)((clipped - MeanHu) / deviation);
        }

        return new Volume(image.Grid, scores);
    }
}

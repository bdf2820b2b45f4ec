using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Normalising;

/// <summary>
/// Per-image standardising, the rule for every modality but CT: (v − mean) / max(std, 1e-8) with the mean and the population standard
/// deviation of all voxels of this image, summed in double in memory order. Source: nnU-Net v2, ZScoreNormalization, without a mask.
/// </summary>
public static class ZScore
{
    /// <summary>The image with mean 0 and standard deviation 1, in a buffer of its own; an image of one value becomes all 0.</summary>
    /// <exception cref="ArgumentException">A voxel is NaN or infinite.</exception>
    public static Volume Normalise(Volume image)
    {
        var voxels = image.Voxels;
        var sum = 0.0;
        foreach (var value in voxels) sum += value;
        if (!double.IsFinite(sum)) throw new ArgumentException("The image holds NaN or infinite voxels; it cannot be standardised.", nameof(image));

        // Two passes: Σv² − n·mean² loses all digits on an MR image with a large offset.
        var mean = sum / voxels.Length;
        var squares = 0.0;
        foreach (var value in voxels) squares += (value - mean) * (value - mean);
        var deviation = Math.Max(Math.Sqrt(squares / voxels.Length), NormalisingLimits.SmallestDeviation);

        var scores = new float[voxels.Length];
        for (var i = 0; i < scores.Length; i++) scores[i] = (float)((voxels[i] - mean) / deviation);
        return new Volume(image.Grid, scores);
    }
}

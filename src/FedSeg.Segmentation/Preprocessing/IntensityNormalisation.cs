namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// Brings grey values of any scanner to one scale. MR and all else: z-score of each image, divided by at least 1e-8. CT: the plan carries no statistics of the data yet, so Hounsfield units
/// are clipped to −200 … 300 (soft tissue) and mapped by fixed numbers, mean 50 and spread 100, the same at every site. Source: nnU-Net v2; the CT window is our own choice.
/// </summary>
internal static class IntensityNormalisation
{
    private const double SmallestSpread = 1e-8;
    private const float LowestHounsfield = -200;
    private const float HighestHounsfield = 300;
    private const float HounsfieldCentre = 50;
    private const float HounsfieldSpread = 100;

    public static void Apply(Span<float> voxels, string modality)
    {
        if (modality == "CT")
        {
            foreach (ref var value in voxels) value = (Math.Clamp(value, LowestHounsfield, HighestHounsfield) - HounsfieldCentre) / HounsfieldSpread;
        }
        else
        {
            ZScore(voxels);
        }
    }

    private static void ZScore(Span<float> voxels)
    {
        var sum = 0.0;
        foreach (var value in voxels) sum += value;
        var mean = sum / voxels.Length;

        // Two passes: MR values reach millions, and their squares would swallow the differences.
        var squares = 0.0;
        foreach (var value in voxels) squares += (value - mean) * (value - mean);
        var spread = Math.Max(Math.Sqrt(squares / voxels.Length), SmallestSpread);
        foreach (ref var value in voxels) value = (float)((value - mean) / spread);
    }
}

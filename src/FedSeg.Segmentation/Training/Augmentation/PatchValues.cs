namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>What changes of grey values have to know about a patch; at least one value.</summary>
internal static class PatchValues
{
    public static (float Min, float Max) Range(ReadOnlySpan<float> patch)
    {
        float min = patch[0], max = patch[0];
        foreach (var value in patch)
        {
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }

        return (min, max);
    }

    public static (double Mean, double StandardDeviation) Moments(ReadOnlySpan<float> patch)
    {
        double sum = 0, squares = 0;
        foreach (var value in patch)
        {
            sum += value;
            squares += (double)value * value;
        }

        var mean = sum / patch.Length;
        return (mean, Math.Sqrt(Math.Max(0, squares / patch.Length - mean * mean)));
    }
}

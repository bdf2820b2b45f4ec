namespace FedSeg.Segmentation.Training;

/// <summary>
/// Random changes of grey values that another scanner might make: noise, gain, contrast, gamma, in this order, each in a share of the patches.
/// Probabilities and ranges from nnU-Net v2; its blur and low-resolution simulation are left out.
/// </summary>
internal static class IntensityAugmentation
{
    private const double NoiseProbability = 0.1;
    private const double LargestNoiseVariance = 0.1;
    private const double GainProbability = 0.15;
    private const double ContrastProbability = 0.15;
    private const double SmallestFactor = 0.75;
    private const double LargestFactor = 1.25;
    private const double GammaProbability = 0.3;
    private const double SmallestGamma = 0.7;
    private const double LargestGamma = 1.5;
    private const float SmallestRange = 1e-7f;

    public static void Apply(Span<float> patch, Random random)
    {
        if (random.Chance(NoiseProbability)) AddNoise(patch, random, Math.Sqrt(random.Uniform(0, LargestNoiseVariance)));
        if (random.Chance(GainProbability)) Scale(patch, 0, (float)random.Factor(SmallestFactor, LargestFactor));
        if (random.Chance(ContrastProbability)) ChangeContrast(patch, (float)random.Factor(SmallestFactor, LargestFactor));
        if (random.Chance(GammaProbability)) ChangeGamma(patch, random.Factor(SmallestGamma, LargestGamma));
    }

    private static void AddNoise(Span<float> patch, Random random, double standardDeviation)
    {
        foreach (ref var value in patch) value += (float)(standardDeviation * random.Gaussian());
    }

    private static void Scale(Span<float> patch, float centre, float factor)
    {
        foreach (ref var value in patch) value = centre + (value - centre) * factor;
    }

    /// <summary>Spreads the values about their mean, within their former range.</summary>
    private static void ChangeContrast(Span<float> patch, float factor)
    {
        var (min, max) = Range(patch);
        Scale(patch, (float)Moments(patch).Mean, factor);
        foreach (ref var value in patch) value = Math.Clamp(value, min, max);
    }

    /// <summary>Bends the grey scale and restores mean and standard deviation.</summary>
    internal static void ChangeGamma(Span<float> patch, double gamma)
    {
        var (min, max) = Range(patch);
        var range = max - min;
        if (range < SmallestRange) return;

        var before = Moments(patch);
        foreach (ref var value in patch) value = MathF.Pow((value - min) / range, (float)gamma);
        var after = Moments(patch);
        var factor = before.StandardDeviation / Math.Max(after.StandardDeviation, SmallestRange);
        foreach (ref var value in patch) value = (float)((value - after.Mean) * factor + before.Mean);
    }

    private static (float Min, float Max) Range(ReadOnlySpan<float> patch)
    {
        float min = patch[0], max = patch[0];
        foreach (var value in patch)
        {
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }

        return (min, max);
    }

    private static (double Mean, double StandardDeviation) Moments(ReadOnlySpan<float> patch)
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

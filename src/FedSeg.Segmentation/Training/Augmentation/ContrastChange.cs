using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Spreads the values about their mean, within their former range.</summary>
internal sealed record ContrastChange(double Smallest, double Largest) : IIntensityChange
{
    public void Apply(Span<float> patch, Index3 size, Random random)
    {
        var factor = (float)random.Factor(Smallest, Largest);
        var (min, max) = PatchValues.Range(patch);
        var mean = (float)PatchValues.Moments(patch).Mean;
        foreach (ref var value in patch) value = Math.Clamp(mean + (value - mean) * factor, min, max);
    }
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Adds Gaussian noise of a variance drawn from 0 to <paramref name="LargestVariance"/>.</summary>
internal sealed record NoiseChange(double LargestVariance) : IIntensityChange
{
    public void Apply(Span<float> patch, Index3 size, Random random)
    {
        var deviation = Math.Sqrt(random.Uniform(0, LargestVariance));
        foreach (ref var value in patch) value += (float)(deviation * random.Gaussian());
    }
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Multiplies all values by one factor.</summary>
internal sealed record GainChange(double Smallest, double Largest) : IIntensityChange
{
    public void Apply(Span<float> patch, Index3 size, Random random)
    {
        var factor = (float)random.Factor(Smallest, Largest);
        foreach (ref var value in patch) value *= factor;
    }
}

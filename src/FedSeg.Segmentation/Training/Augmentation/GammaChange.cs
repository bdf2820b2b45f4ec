using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Bends the grey scale by a power and restores mean and standard deviation.</summary>
/// <param name="Smallest">Smallest power.</param>
/// <param name="Largest">Largest power.</param>
/// <param name="Inverted">Bends the negative instead, so that bright values are spread rather than dark ones.</param>
internal sealed record GammaChange(double Smallest, double Largest, bool Inverted) : IIntensityChange
{
    private const float SmallestRange = 1e-7f;

    public void Apply(Span<float> patch, Index3 size, Random random) => Bend(patch, random.Factor(Smallest, Largest));

    /// <summary>Bends by a given power.</summary>
    internal void Bend(Span<float> patch, double gamma)
    {
        var (min, max) = PatchValues.Range(patch);
        var range = max - min;
        if (range < SmallestRange) return;

        var before = PatchValues.Moments(patch);
        foreach (ref var value in patch) value = Inverted ? -Bent(max - value) : Bent(value - min);
        var after = PatchValues.Moments(patch);
        var factor = before.StandardDeviation / Math.Max(after.StandardDeviation, SmallestRange);
        foreach (ref var value in patch) value = (float)((value - after.Mean) * factor + before.Mean);

        float Bent(float above) => MathF.Pow(above / range, (float)gamma);
    }
}

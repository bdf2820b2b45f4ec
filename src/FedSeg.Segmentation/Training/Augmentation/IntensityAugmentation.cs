using System.Collections.Immutable;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>
/// Random changes of grey values that another scanner might make, in this order, each in a share of the patches. Order, probabilities and ranges from nnU-Net v2;
/// with one image channel its probability per patch and that per channel are one.
/// </summary>
internal static class IntensityAugmentation
{
    private const double PerChannel = 0.5;

    internal static ImmutableArray<(double Probability, IIntensityChange Change)> Changes { get; } =
    [
        (0.1, new NoiseChange(LargestVariance: 0.1)),
        (0.2 * PerChannel, new BlurChange(SmallestSigma: 0.5, LargestSigma: 1)),
        (0.15, new GainChange(Smallest: 0.75, Largest: 1.25)),
        (0.15, new ContrastChange(Smallest: 0.75, Largest: 1.25)),
        (0.25 * PerChannel, new ResolutionChange(SmallestZoom: 0.5, LargestZoom: 1)),
        (0.1, new GammaChange(Smallest: 0.7, Largest: 1.5, Inverted: true)),
        (0.3, new GammaChange(Smallest: 0.7, Largest: 1.5, Inverted: false)),
    ];

    /// <summary>Draws each change and makes it.</summary>
    public static void Apply(Span<float> patch, Index3 size, Random random)
    {
        foreach (var (probability, change) in Changes)
        {
            if (random.Chance(probability)) change.Apply(patch, size, random);
        }
    }
}

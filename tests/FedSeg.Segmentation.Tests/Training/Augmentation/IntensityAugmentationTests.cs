using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Training.Augmentation;

namespace FedSeg.Segmentation.Tests.Training.Augmentation;

public sealed class IntensityAugmentationTests
{
    private static readonly Index3 Line = new(1, 1, 100);

    private static float[] Ramp() => [.. Enumerable.Range(0, 100).Select(i => i / 50f - 1)];

    /// <summary>nnU-Net v2's list for one image channel: order, probabilities, ranges (shared/reference/segmentation.md).</summary>
    [Fact]
    public void Changes_AreNnUNets()
    {
        (double, IIntensityChange)[] expected =
        [
            (0.1, new NoiseChange(LargestVariance: 0.1)),
            (0.1, new BlurChange(SmallestSigma: 0.5, LargestSigma: 1)),
            (0.15, new GainChange(Smallest: 0.75, Largest: 1.25)),
            (0.15, new ContrastChange(Smallest: 0.75, Largest: 1.25)),
            (0.125, new ResolutionChange(SmallestZoom: 0.5, LargestZoom: 1)),
            (0.1, new GammaChange(Smallest: 0.7, Largest: 1.5, Inverted: true)),
            (0.3, new GammaChange(Smallest: 0.7, Largest: 1.5, Inverted: false)),
        ];
        Assert.Equal(expected, IntensityAugmentation.Changes);
    }

    [Fact]
    public void Gain_ManyDraws_FillItsRange()
    {
        var factors = Enumerable.Range(0, 400).Select(seed =>
        {
            float[] patch = [1];
            new GainChange(Smallest: 0.75, Largest: 1.25).Apply(patch, new Index3(1, 1, 1), new Random(seed));
            return patch[0];
        }).ToList();
        Assert.InRange(factors.Min(), 0.75f, 0.76f);
        Assert.InRange(factors.Max(), 1.24f, 1.25f);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gamma_AnyPower_KeepsOrderMeanAndSpread(bool inverted)
    {
        var patch = Ramp();
        new GammaChange(0.7, 1.5, inverted).Bend(patch, 1.5);
        Assert.Equal(patch.Order(), patch);
        Assert.Equal(Ramp().Average(), patch.Average(), 1e-5);
        Assert.Equal(Ramp().Sum(value => value * value), patch.Sum(value => value * value), 1e-3);
        // A power above 1 keeps the dark values together; of the negative, the bright ones.
        var (dark, bright) = (patch[10] - patch[0], patch[99] - patch[89]);
        Assert.True(inverted ? dark > 2 * bright : bright > 2 * dark, $"{dark} {bright}");
    }

    [Fact]
    public void Gamma_ConstantPatch_IsLeftAlone()
    {
        float[] patch = [2, 2, 2];
        new GammaChange(0.7, 1.5, Inverted: false).Bend(patch, 0.7);
        Assert.Equal([2, 2, 2], patch);
    }

    [Fact]
    public void Noise_ManyValues_HasTheDrawnDeviation()
    {
        var patch = new float[20_000];
        new NoiseChange(0.1).Apply(patch, new Index3(1, 1, patch.Length), new Random(4));
        var drawn = Math.Sqrt(0.1 * new Random(4).NextDouble());
        // 1 / sqrt(2 n) relative: three of its deviations.
        Assert.Equal(drawn, PatchValues.Moments(patch).StandardDeviation, 3 * drawn / Math.Sqrt(2 * patch.Length));
    }

    [Fact]
    public void Contrast_AnyFactor_StaysWithinTheFormerRange()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var patch = Ramp();
            new ContrastChange(0.75, 1.25).Apply(patch, Line, new Random(seed));
            Assert.True(patch.Min() >= -1 && patch.Max() <= Ramp().Max());
            Assert.NotEqual(Ramp(), patch);
        }
    }

    [Fact]
    public void Blur_OneBrightVoxel_IsTheGaussian()
    {
        var patch = new float[21];
        patch[10] = 1;
        BlurChange.Along(patch, 21, 1, sigma: 1);
        Assert.Equal(1, patch.Sum(), 1e-5);
        Assert.Equal(0.3989, patch[10], 1e-3); // 1 / sqrt(2 pi), and its next neighbour exp(-1/2) of it
        Assert.Equal(0.2420, patch[9], 1e-3);
        Assert.Equal(patch[9], patch[11]);
    }

    [Fact]
    public void Blur_EveryAxis_LeavesAConstantAlone()
    {
        float[] patch = [.. Enumerable.Repeat(3f, 60)];
        new BlurChange(0.5, 1).Apply(patch, new Index3(3, 4, 5), new Random(1));
        Assert.All(patch, value => Assert.Equal(3, value, 1e-5));
    }

    [Fact]
    public void Resolution_HalfTheVoxels_KeepsARampBetweenItsEnds()
    {
        float[] patch = [0, 1, 2, 3, 4, 5, 6, 7];
        ResolutionChange.Coarsen(patch, new Index3(1, 1, 8), 0.5);
        // Samples 1, 3, 5, 7 at positions (j + 0.5) / 2 - 0.5 of them.
        Assert.Equal([1, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7], patch);
    }

    [Fact]
    public void Resolution_WholeZoom_ChangesNothing()
    {
        var patch = Ramp();
        ResolutionChange.Coarsen(patch, new Index3(4, 5, 5), 1);
        Assert.Equal(Ramp(), patch);
    }

    [Fact]
    public void Apply_ManyDraws_StaysFiniteAndChangesSome()
    {
        var random = new Random(1);
        var changed = 0;
        for (var i = 0; i < 400; i++)
        {
            var patch = Ramp();
            IntensityAugmentation.Apply(patch, Line, random);
            Assert.All(patch, value => Assert.True(float.IsFinite(value)));
            if (!patch.SequenceEqual(Ramp())) changed++;
        }

        // 1 - 0.9 * 0.9 * 0.85 * 0.85 * 0.875 * 0.9 * 0.7 = 67.7 % of 400, deviation 9.4.
        Assert.InRange(changed, 240, 302);
    }
}

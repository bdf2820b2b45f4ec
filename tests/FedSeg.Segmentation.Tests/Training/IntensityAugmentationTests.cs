using FedSeg.Segmentation.Training;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class IntensityAugmentationTests
{
    private static float[] Ramp() => [.. Enumerable.Range(0, 100).Select(i => i / 50f - 1)];

    [Fact]
    public void ChangeGamma_AnyGamma_KeepsOrderMeanAndSpread()
    {
        var patch = Ramp();
        IntensityAugmentation.ChangeGamma(patch, 1.5);
        Assert.Equal(patch.Order(), patch);
        Assert.Equal(Ramp().Average(), patch.Average(), 1e-5);
        Assert.Equal(Ramp().Sum(value => value * value), patch.Sum(value => value * value), 1e-3);
        Assert.NotEqual(Ramp()[50], patch[50], 1e-2);
    }

    [Fact]
    public void ChangeGamma_ConstantPatch_IsLeftAlone()
    {
        float[] patch = [2, 2, 2];
        IntensityAugmentation.ChangeGamma(patch, 0.7);
        Assert.Equal([2, 2, 2], patch);
    }

    [Fact]
    public void Apply_ManyDraws_StaysFiniteAndChangesSome()
    {
        var random = new Random(1);
        var changed = 0;
        for (var i = 0; i < 200; i++)
        {
            var patch = Ramp();
            IntensityAugmentation.Apply(patch, random);
            Assert.All(patch, value => Assert.True(float.IsFinite(value)));
            if (!patch.SequenceEqual(Ramp())) changed++;
        }

        // 1 − 0.9 · 0.85 · 0.85 · 0.7 = 54 % of 200.
        Assert.InRange(changed, 85, 135);
    }
}

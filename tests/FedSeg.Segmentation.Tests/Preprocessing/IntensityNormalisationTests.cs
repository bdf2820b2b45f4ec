using FedSeg.Segmentation.Preprocessing;

namespace FedSeg.Segmentation.Tests.Preprocessing;

public sealed class IntensityNormalisationTests
{
    private static float[] Apply(string modality, params float[] values)
    {
        IntensityNormalisation.Apply(values, modality);
        return values;
    }

    [Fact]
    public void Apply_Mr_IsTheZScoreOfTheImage() => // mean 3, spread 2
        Assert.Equal([-1f, -1, 1, 1], Apply("MR", 1, 1, 5, 5));

    [Fact]
    public void Apply_MrInMillions_KeepsItsPrecision() => Assert.Equal([-1f, 1], Apply("MR", 1_700_000, 1_700_002));

    [Fact]
    public void Apply_ConstantMr_IsZero() => Assert.Equal([0f, 0], Apply("MR", 7, 7));

    [Fact]
    public void Apply_Ct_ClipsToTheWindowAndMapsByFixedNumbers() =>
        Assert.Equal([-2.5f, 0, 1, 2.5f], Apply("CT", -1000, 50, 150, 3000));
}

using FedSeg.Imaging.Metrics;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class DiceScoreTests
{
    private static readonly byte[] Reference = [0, 1, 1, 1, 2, 2, 0, 0];
    private static readonly byte[] Prediction = [0, 1, 1, 2, 2, 0, 3, 0];

    [Theory]
    [InlineData(1, 2 * 2 / 5.0)]
    [InlineData(2, 2 * 1 / 4.0)]
    [InlineData(3, 0.0)]
    [InlineData(0, 2 * 2 / 6.0)]
    public void Of_ClassInEitherMap_CountsItsVoxels(byte label, double dice)
    {
        Assert.Equal(dice, DiceScore.Of(Reference, Prediction, label)!.Value, 15);
    }

    [Fact]
    public void Of_ClassInNeitherMap_IsNull()
    {
        Assert.Null(DiceScore.Of(Reference, Prediction, 9));
    }

    [Fact]
    public void Of_SameMapTwice_IsOne()
    {
        Assert.Equal(1.0, DiceScore.Of(Reference, Reference, 1));
    }

    [Fact]
    public void Of_MapsOfDifferentLength_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => DiceScore.Of(Reference, Prediction.AsSpan(1), 1));
    }
}

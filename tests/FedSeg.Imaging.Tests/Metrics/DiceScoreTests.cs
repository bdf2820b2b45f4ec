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
    public void PerLabel_ClassInEitherMap_CountsItsVoxels(int label, double dice)
    {
        Assert.Equal(dice, DiceScore.PerLabel(Reference, Prediction, 4)[label], 15);
    }

    [Fact]
    public void PerLabel_ClassInNeitherMap_IsNaN()
    {
        Assert.Equal(double.NaN, DiceScore.PerLabel(Reference, Prediction, 10)[9]);
    }

    [Fact]
    public void PerLabel_SameMapTwice_IsOne()
    {
        Assert.Equal([1.0, 1, 1], DiceScore.PerLabel(Reference, Reference, 3));
    }

    [Fact]
    public void PerLabel_MapsOfDifferentLength_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => DiceScore.PerLabel(Reference, Prediction.AsSpan(1), 4));
    }

    [Fact]
    public void PerLabel_ClassBeyondTheLast_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => DiceScore.PerLabel(Reference, Prediction, 3));
    }

    // MONAI's own test: pred [[1,0],[0,1]] vs [[1,0],[1,1]] -> .8 (shared/reference/metrics.md section 4.3).
    [Fact]
    public void PerLabel_MonaiSquare_GivesItsDice()
    {
        Assert.Equal(0.8, DiceScore.PerLabel([1, 0, 1, 1], [1, 0, 0, 1], 2)[1], 15);
    }
}

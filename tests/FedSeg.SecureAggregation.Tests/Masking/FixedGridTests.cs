using System.Security.Cryptography;
using FedSeg.Federation.Rounds;
using FedSeg.SecureAggregation.Masking;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FedSeg.SecureAggregation.Tests.Masking;

public sealed class FixedGridTests
{
    private const int Exponent = -15;
    private static readonly double Step = Math.ScaleB(1, Exponent);
    private readonly FixedGrid _grid = new(RandomNumberGenerator.Create());

    [Property(MaxTest = 300)]
    public bool Round_AnyFiniteValues_LandsOnTheGridWithinAStepOfTheClippedValue(NormalFloat[] values)
    {
        float[] asked = [.. values.Select(value => (float)value.Get)];
        float[] rounded = [.. asked];
        var clipped = _grid.Round(rounded, scale: 1, Exponent);
        var words = new uint[rounded.Length];
        FixedGrid.ToWords(rounded, Exponent, words);
        var limit = FixedGrid.LargestLevel * Step;
        return clipped == asked.Count(value => Math.Abs(value) > limit)
            && rounded.Zip(asked).All(pair => Math.Abs(pair.First - Math.Clamp(pair.Second, -limit, limit)) < Step)
            && rounded.Zip(words).All(pair => Words24.ToLevel(pair.Second) * Step == pair.First);
    }

    [Property(MaxTest = 300)]
    public bool Round_ValuesOnTheGrid_StayThemselves(short[] levels)
    {
        float[] values = [.. levels.Select(level => (float)(Math.Max(level, (short)-32767) * Step))];
        float[] rounded = [.. values];
        return _grid.Round(rounded, scale: 1, Exponent) == 0 && rounded.SequenceEqual(values);
    }

    /// <summary>
    /// Adding values in double and adding levels give the same bits, whatever the order: what makes a sum of masked words the model's.
    /// </summary>
    [Property(MaxTest = 100)]
    public bool Sum_OfValues_IsTheSumOfLevels(short[] levels)
    {
        var most = levels.Take(256).Select(level => (int)Math.Max(level, (short)-32767)).ToArray();
        var inOrder = most.Aggregate(0.0, (sum, level) => sum + level * Step);
        var backwards = most.Reverse().Aggregate(0.0, (sum, level) => sum + level * Step);
        return inOrder == most.Sum() * Step && backwards == inOrder;
    }

    [Fact]
    public void Round_ManyTimes_IsUnbiased()
    {
        const int draws = 200_000;
        var values = Enumerable.Repeat(0.3f * (float)Step, draws).ToArray();

        _grid.Round(values, scale: 1, Exponent);

        // Up with a chance of 0.3: five standard deviations of the mean are 0.005 of a step.
        Assert.InRange(values.Average(value => value / Step), 0.295, 0.305);
    }

    [Fact]
    public void Round_Scaled_ScalesBeforeItRounds()
    {
        var values = new[] { 1f, -0.5f };

        _grid.Round(values, scale: 0.25, Exponent);

        Assert.Equal([0.25f, -0.125f], values);
    }

    [Fact]
    public void Round_NotFinite_StaysForTheRuleThatRefusesIt()
    {
        var values = new[] { float.NaN, float.PositiveInfinity };

        _grid.Round(values, scale: 1, Exponent);

        Assert.Equal([float.NaN, float.PositiveInfinity], values);
        Assert.Throws<ArgumentException>(() => FixedGrid.ToWords(values, Exponent, new uint[2]));
    }

    [Theory]
    [InlineData(1.0, -14)]
    [InlineData(0.999, -15)]
    [InlineData(32767.0, 0)]
    [InlineData(1e-60, BlindSpec.SmallestExponent)]
    public void ExponentFor_ARange_IsTheSmallestGridThatReachesIt(double range, int exponent) =>
        Assert.Equal(exponent, BlindSpec.ExponentFor(range));

    [Fact]
    public void ToWords_OffTheGrid_IsRefused() =>
        Assert.Throws<ArgumentException>(() => FixedGrid.ToWords([(float)(1.5 * Step)], Exponent, new uint[1]));
}

using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Weights;

public sealed class FiniteValuesTests
{
    public static TheoryData<float> NotFinite { get; } = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0x7F80_0001)];

    [Theory]
    [MemberData(nameof(NotFinite))]
    public void IndexOfNonFinite_BadValueAtEachPlace_IsFound(float bad)
    {
        // Longer than any vector, so that both the vector's loop and the rest are met.
        for (var place = 0; place < 67; place++)
        {
            var values = Enumerable.Repeat(float.MaxValue, 67).ToArray();
            values[place] = bad;
            Assert.Equal(place, FiniteValues.IndexOfNonFinite(values));
        }
    }

    [Fact]
    public void IndexOfNonFinite_ExtremeButFiniteValues_AreNone() => Assert.Equal(
        -1, FiniteValues.IndexOfNonFinite(Enumerable.Repeat(new[] { 0f, -0f, float.Epsilon, float.MinValue, float.MaxValue, 1f }, 20).SelectMany(values => values).ToArray()));

    [Fact]
    public void IndexOfNonFinite_Nothing_IsNone() => Assert.Equal(-1, FiniteValues.IndexOfNonFinite([]));

    [Fact]
    public void CountNonFinite_SeveralAmongFiniteOnes_CountsEach()
    {
        var values = Enumerable.Range(0, 67).Select(i => i % 9 == 0 ? float.NaN : i % 10 == 0 ? float.NegativeInfinity : i).ToArray();

        Assert.Equal(values.Count(value => !float.IsFinite(value)), FiniteValues.CountNonFinite(values));
    }

    [Theory]
    [InlineData(-7f)]
    [InlineData(float.MaxValue)]
    [InlineData(float.Epsilon)]
    public void LargestFinite_AtEachPlaceAmongValuesThatAreNot_IsFound(float largest)
    {
        for (var place = 0; place < 67; place++)
        {
            var values = Enumerable.Range(0, 67).Select(i => i % 3 == 0 ? float.NaN : i % 3 == 1 ? float.NegativeInfinity : 0).ToArray();
            values[place] = largest;
            Assert.Equal(Math.Abs(largest), FiniteValues.LargestFinite(values));
        }
    }

    [Fact]
    public void LargestFinite_NoFiniteValue_IsZero() => Assert.Equal(0, FiniteValues.LargestFinite([float.NaN, float.PositiveInfinity]));
}

using System.Security.Cryptography;
using FedSeg.Egress.Sealing;
using FedSeg.Testing;

namespace FedSeg.Egress.Tests.Sealing;

public sealed class StochasticGridTests
{
    public static TheoryData<Requantisation, int> Grids => new() { { Requantisation.Bits16, short.MaxValue }, { Requantisation.Bits8, sbyte.MaxValue } };

    [Theory]
    [MemberData(nameof(Grids))]
    public void Round_AnyValues_LieOnFewSteps(Requantisation requantisation, int levels)
    {
        var grid = new StochasticGrid(requantisation, new SeededGenerator());
        var values = Values(5000);
        var step = grid.Step(values.Max(Math.Abs));
        grid.Round(values, step);

        Assert.Equal(1, Math.ScaleB(step, -Math.ILogB(step)));
        Assert.All(values, value => Assert.True(value / step == Math.Round(value / step) && Math.Abs(value / step) <= levels));
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void Round_Values_MoveLessThanAStepAndNotOnAverage(Requantisation requantisation, int levels)
    {
        var grid = new StochasticGrid(requantisation, new SeededGenerator());
        var (before, after) = (Values(20_000), Values(20_000));
        var step = grid.Step(before.Max(Math.Abs));
        grid.Round(after, step);

        var errors = before.Zip(after, (a, b) => (b - (double)a) / step).ToArray();
        Assert.All(errors, error => Assert.InRange(error, -1, 1));
        // Each error has a variance of at most 1/4 step²: four standard errors of the mean.
        Assert.InRange(errors.Average(), -4 * 0.5 / Math.Sqrt(errors.Length), 4 * 0.5 / Math.Sqrt(errors.Length));
        Assert.True(step <= 2.0 * before.Max(Math.Abs) / levels);
    }

    /// <summary>Bits hidden in the low mantissa digits can be read before and are noise after.</summary>
    [Theory]
    [InlineData(Requantisation.Off, 1.0, 1.0)]
    [InlineData(Requantisation.Bits16, 0.45, 0.55)]
    [InlineData(Requantisation.Bits8, 0.45, 0.55)]
    public void Round_ChannelInTheLowDigits_IsDestroyed(Requantisation requantisation, double fewest, double most)
    {
        var values = Values(8000);
        var hidden = RandomBits(values.Length);
        for (var i = 0; i < values.Length; i++) values[i] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(values[i]) & ~1 | hidden[i]);
        var grid = new StochasticGrid(requantisation, new SeededGenerator(2));
        grid.Round(values, grid.IsOff ? 0 : grid.Step(values.Max(Math.Abs)));

        // What the receiver of the channel reads: of an exact grid value the lowest digit is always 0.
        var read = values.Where((value, i) => (BitConverter.SingleToInt32Bits(value) & 1) == hidden[i]).Count();
        Assert.InRange(read / (double)values.Length, fewest, most);
    }

    [Fact]
    public void Round_WithoutASeed_DrawsAnew()
    {
        using var random = RandomNumberGenerator.Create();
        var grid = new StochasticGrid(Requantisation.Bits8, random);
        var (first, second) = (Values(1000), Values(1000));
        grid.Round(first, 0.1);
        grid.Round(second, 0.1);

        Assert.NotEqual(first, second);
    }

    /// <summary>Whatever the width of the machine's vectors, and below the smallest step that has a reciprocal.</summary>
    [Theory]
    [InlineData(0.001953125)]
    [InlineData(8)]
    [InlineData(1.401298464324817e-45)]
    public void Round_ManyValues_GivesTheBitsOfOneByOneInDouble(double step)
    {
        const int count = 75;
        var values = Values(count).Select(value => (float)(value * 100 * step)).ToArray();
        var draws = new byte[count * sizeof(uint)];
        new SeededGenerator(4).GetBytes(draws);
        var expected = values.Select((value, i) => (float)(step * Math.Floor(value / step)
            + (Math.ScaleB(BitConverter.ToUInt32(draws, i * sizeof(uint)) >> 8, -24) < value / step - Math.Floor(value / step) ? step : 0)));
        new StochasticGrid(Requantisation.Bits16, new SeededGenerator(4)).Round(values, step);

        Assert.Equal(expected.ToArray(), values);
    }

    [Fact]
    public void Round_NotFiniteOrZero_Stays()
    {
        var grid = new StochasticGrid(Requantisation.Bits8, new SeededGenerator());
        // Often enough to fill vectors and leave a rest.
        var values = Enumerable.Repeat(new[] { float.NaN, float.PositiveInfinity, 0, -0.25f, float.NegativeInfinity }, 9).SelectMany(value => value).ToArray();
        var rounded = values.ToArray();
        grid.Round(rounded, grid.Step(0.25));

        Assert.Equal(values, rounded);
        Assert.Equal(0, grid.Step(0));
    }

    private static float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => (float)(Math.Sin(i * 12.9898) * Math.Exp(-i % 7)))];

    private static int[] RandomBits(int count)
    {
        var bytes = new byte[count];
        new SeededGenerator(3).GetBytes(bytes);
        return [.. bytes.Select(value => value & 1)];
    }
}

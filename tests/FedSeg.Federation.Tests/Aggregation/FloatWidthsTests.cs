using FedSeg.Federation.Aggregation;

namespace FedSeg.Federation.Tests.Aggregation;

public sealed class FloatWidthsTests
{
    /// <summary>Longer than a vector by a rest: ties, subnormals, what overflows, what is no number.</summary>
    private static readonly double[] Doubles =
    [
        0, -0.0, 1, 1 + Math.ScaleB(1, -24), 1 + 3 * Math.ScaleB(1, -24), -1.1, Math.ScaleB(1, -149), Math.ScaleB(1, -150), 1.4e-45 * 1.6,
        float.MaxValue, float.MaxValue * (1 + 1e-8), 1e39, double.NegativeInfinity, double.NaN, Math.PI, -1e-310, 7, 8, 9,
    ];

    [Fact]
    public void Narrow_AnyDouble_IsTheCast()
    {
        var floats = new float[Doubles.Length];
        FloatWidths.Narrow(Doubles, floats);

        Assert.Equal(Doubles.Select(value => (float)value), floats);
    }

    [Fact]
    public void Widen_AnyFloat_IsExact()
    {
        var floats = Doubles.Select(value => (float)value).ToArray();
        var doubles = new double[floats.Length];
        FloatWidths.Widen(floats, doubles);

        Assert.Equal(floats.Select(value => (double)value), doubles);
    }
}

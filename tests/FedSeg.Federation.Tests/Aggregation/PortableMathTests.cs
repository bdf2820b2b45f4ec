using FedSeg.Federation.Aggregation;

namespace FedSeg.Federation.Tests.Aggregation;

public sealed class PortableMathTests
{
    [Theory]
    [InlineData(2.0, 0.5)]
    [InlineData(1e-10, 0.2)]
    [InlineData(0.7071067811865475, 20.0)]
    [InlineData(1.4142135623730951, -3.7)]
    [InlineData(123456.789, 13.3)]
    [InlineData(1.0, 5.0)]
    [InlineData(3.5, 0.0)]
    public void Power_Real_AgreesWithTheLibrary(double value, double exponent)
    {
        var expected = Math.Pow(value, exponent);

        Assert.Equal(1, PortableMath.Power(value, exponent) / expected, 1e-13);
    }

    [Fact]
    public void Power_Whole_IsRepeatedMultiplication()
    {
        Assert.Equal(0.99 * 0.99 * 0.99, PortableMath.Power(0.99, 3), 1e-16);
        Assert.Equal(1, PortableMath.Power(0.0, 0));
        Assert.Equal(0, PortableMath.Power(0.0, 4));
    }
}

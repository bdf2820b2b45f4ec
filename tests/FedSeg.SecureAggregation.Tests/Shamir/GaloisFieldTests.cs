using FedSeg.SecureAggregation.Shamir;

namespace FedSeg.SecureAggregation.Tests.Shamir;

public sealed class GaloisFieldTests
{
    /// <summary>FIPS 197, sections 4.2 and 4.2.1.</summary>
    [Theory]
    [InlineData(0x57, 0x83, 0xC1)]
    [InlineData(0x57, 0x13, 0xFE)]
    [InlineData(0x57, 0x02, 0xAE)]
    [InlineData(0x57, 0x04, 0x47)]
    [InlineData(0x57, 0x08, 0x8E)]
    [InlineData(0x57, 0x10, 0x07)]
    public void Multiply_Fips197Examples_AreAsPrinted(byte left, byte right, byte product)
    {
        Assert.Equal(product, GaloisField.Multiply(left, right));
        Assert.Equal(product, GaloisField.Multiply(right, left));
    }

    [Fact]
    public void Inverse_OfEveryElement_MultipliesToOne()
    {
        for (var value = 1; value < 256; value++) Assert.Equal(1, GaloisField.Multiply((byte)value, GaloisField.Inverse((byte)value)));
        Assert.Equal(0, GaloisField.Inverse(0));
    }

    [Fact]
    public void Multiply_Everywhere_AgreesWithTheSchoolbookRemainder()
    {
        for (var left = 0; left < 256; left++)
        {
            for (var right = 0; right < 256; right++) Assert.Equal(Schoolbook(left, right), GaloisField.Multiply((byte)left, (byte)right));
        }
    }

    /// <summary>The product without carries, then the remainder: another way to the same numbers.</summary>
    private static byte Schoolbook(int left, int right)
    {
        var product = 0;
        for (var bit = 0; bit < 8; bit++)
        {
            if ((right >> bit & 1) == 1) product ^= left << bit;
        }

        for (var bit = 14; bit >= 8; bit--)
        {
            if ((product >> bit & 1) == 1) product ^= 0x11B << (bit - 8);
        }

        return (byte)product;
    }
}

namespace FedSeg.SecureAggregation.Shamir;

/// <summary>
/// The field of 256 elements that AES uses, modulo x⁸ + x⁴ + x³ + x + 1 (FIPS 197, section 4.2). No branch and no table lookup depends on a
/// value, so time tells nothing of the secrets computed with.
/// </summary>
internal static class GaloisField
{
    private const int Modulus = 0x11B;

    public static byte Multiply(byte left, byte right)
    {
        int product = 0, factor = left, bits = right;
        for (var bit = 0; bit < 8; bit++)
        {
            product ^= factor & -(bits & 1);
            factor = (factor << 1) ^ (Modulus & -(factor >> 7));
            bits >>= 1;
        }

        return (byte)product;
    }

    /// <summary>a⁻¹ = a²⁵⁴; 0 for 0.</summary>
    public static byte Inverse(byte value)
    {
        var (power, inverse) = (value, (byte)1);
        for (var bit = 1; bit < 8; bit++)
        {
            power = Multiply(power, power);
            inverse = Multiply(inverse, power);
        }

        return inverse;
    }
}

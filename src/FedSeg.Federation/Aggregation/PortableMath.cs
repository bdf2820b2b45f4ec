namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Powers from exactly rounded operations alone. The C library chooses its exp and log by what the processor can do (with or without fused
/// multiplication), and their last bit with it; a model's hash may not depend on that. Relative error below 1e-14.
/// </summary>
internal static class PortableMath
{
    private const double Ln2High = 0.693147180369123816490, Ln2Low = 1.90821492927058770002e-10;

    /// <summary>baseⁿ by repeated squaring.</summary>
    public static double Power(double value, int exponent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(exponent);
        var result = 1.0;
        for (var square = value; exponent > 0; exponent >>= 1, square *= square)
        {
            if ((exponent & 1) == 1) result *= square;
        }

        return result;
    }

    /// <summary>A positive number to a real power.</summary>
    public static double Power(double value, double exponent)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
        return Exp(exponent * Log(value));
    }

    /// <summary>ln x = e ln 2 + 2 artanh((m − 1) / (m + 1)), x = m 2ᵉ with m in [√½, √2).</summary>
    private static double Log(double value)
    {
        var exponent = Math.ILogB(value);
        var mantissa = Math.ScaleB(value, -exponent);
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            exponent++;
        }

        var ratio = (mantissa - 1) / (mantissa + 1);
        var square = ratio * ratio;
        var series = 0.0;
        for (var odd = 25; odd >= 1; odd -= 2) series = series * square + 1.0 / odd;
        return exponent * Ln2High + (exponent * Ln2Low + 2 * ratio * series);
    }

    /// <summary>eˣ = 2ᵏ eʳ, |r| ≤ ½ ln 2, by Taylor's series.</summary>
    private static double Exp(double value)
    {
        var power = Math.Round(value / (Ln2High + Ln2Low));
        var rest = value - power * Ln2High - power * Ln2Low;
        var series = 1.0;
        for (var term = 18; term >= 1; term--) series = 1 + rest / term * series;
        return Math.ScaleB(series, (int)Math.Clamp(power, -2000, 2000));
    }
}

using System.Numerics;

namespace FedSeg.Privacy.Accounting;

/// <summary>Discrete Fourier transform in place, length a power of two (iterative radix 2; Cooley and Tukey 1965).</summary>
internal static class FourierTransform
{
    public static void Forward(Span<Complex> values) => Transform(values, -1);

    /// <summary>Inverse, scaled by 1 / length.</summary>
    public static void Inverse(Span<Complex> values)
    {
        Transform(values, 1);
        for (var i = 0; i < values.Length; i++) values[i] /= values.Length;
    }

    private static void Transform(Span<Complex> values, int sign)
    {
        Reorder(values);
        // Every root comes from its own sine: rounding does not add up along the way.
        var roots = new Complex[values.Length / 2];
        for (var k = 0; k < roots.Length; k++) roots[k] = Complex.FromPolarCoordinates(1, sign * 2 * Math.PI * k / values.Length);
        for (var half = 1; half < values.Length; half *= 2)
        {
            var stride = values.Length / (2 * half);
            for (var start = 0; start < values.Length; start += 2 * half)
            {
                for (var k = 0; k < half; k++)
                {
                    var (a, b) = (values[start + k], values[start + k + half]);
                    var turned = Multiply(b, roots[k * stride]);
                    values[start + k] = a + turned;
                    values[start + k + half] = a - turned;
                }
            }
        }
    }

    /// <summary>Without the special cases for infinities of the operator.</summary>
    private static Complex Multiply(Complex a, Complex b) =>
        new(a.Real * b.Real - a.Imaginary * b.Imaginary, a.Real * b.Imaginary + a.Imaginary * b.Real);

    private static void Reorder(Span<Complex> values)
    {
        var bits = BitOperations.Log2((uint)values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            var mirrored = 0;
            for (var bit = 0; bit < bits; bit++) mirrored |= ((i >> bit) & 1) << (bits - 1 - bit);
            if (mirrored > i) (values[i], values[mirrored]) = (values[mirrored], values[i]);
        }
    }
}

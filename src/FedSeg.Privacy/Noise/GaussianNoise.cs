using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FedSeg.Privacy.Noise;

/// <summary>
/// Gaussian noise from the system's cryptographic generator, by the transform of Box and Muller. Nobody who sees some of it can guess the
/// rest.
/// <para>
/// Floating point betrays noise that is merely added: not every double is a possible sum, and which are depends on the secret (Mironov
/// 2012, "On significance of the least significant bits for differential privacy"). So the noised value is rounded to a grid of <see
/// cref="GridOf"/>, far coarser than the gaps between doubles and 4096 times finer than the noise: every grid point can be reached from
/// every input, and what rounding takes away nobody can look at. This closes the known attack; it is not a proof in exact arithmetic. The
/// tail ends at 8.57 σ (a chance of 1e-17), where the 53 bits of the transform end.
/// </para>
/// </summary>
public static class GaussianNoise
{
    private const double Uniform53 = 1.0 / (1L << 53);
    private const int PairsAtOnce = 256;
    private const int GridBits = 12;

    /// <summary>The grid that noised values lie on: the power of two at most σ / 4096.</summary>
    public static double GridOf(double standardDeviation) => Math.ScaleB(1, Math.ILogB(standardDeviation) - GridBits);

    /// <summary>Adds noise to every value and rounds to the grid.</summary>
    /// <param name="values">Values already clipped; float32, the sum is made in double.</param>
    /// <param name="standardDeviation">σ times the clipping norm (over the count, for a mean); above 0.</param>
    public static void AddTo(Span<float> values, double standardDeviation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(standardDeviation);
        var grid = GridOf(standardDeviation);
        Span<double> noise = stackalloc double[2 * PairsAtOnce];
        while (values.Length > 0)
        {
            var count = Math.Min(values.Length, noise.Length);
            Fill(noise[..count]);
            for (var i = 0; i < count; i++) values[i] = (float)(Math.Round((values[i] + standardDeviation * noise[i]) / grid) * grid);
            values = values[count..];
        }

        noise.Clear();
    }

    /// <summary>Fills with independent standard normal numbers.</summary>
    public static void Fill(Span<double> destination)
    {
        Span<ulong> bits = stackalloc ulong[2 * PairsAtOnce];
        while (destination.Length > 0)
        {
            var pairs = Math.Min(PairsAtOnce, (destination.Length + 1) / 2);
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(bits[..(2 * pairs)]));
            for (var pair = 0; pair < pairs; pair++)
            {
                // From (0, 1], so that the logarithm is finite.
                var radius = Math.Sqrt(-2 * Math.Log(((bits[2 * pair] >> 11) + 1) * Uniform53));
                var (sine, cosine) = Math.SinCos(2 * Math.PI * ((bits[2 * pair + 1] >> 11) * Uniform53));
                destination[2 * pair] = radius * cosine;
                if (2 * pair + 1 < destination.Length) destination[2 * pair + 1] = radius * sine;
            }

            destination = destination[Math.Min(2 * pairs, destination.Length)..];
        }

        bits.Clear();
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using FedSeg.Federation.Rounds;

namespace FedSeg.SecureAggregation.Masking;

/// <summary>
/// The grid all sites of a round share: whole steps of 2^exponent, 65 535 of them around 0. Values are rounded up or down by chance,
/// without bias; a value on the grid stays itself. Steps are powers of two, so every grid value is exact in float32 and a sum of them is
/// exact in double: adding levels and adding values give the same bits.
/// </summary>
/// <param name="random">Cryptographic, outside tests.</param>
public sealed class FixedGrid(RandomNumberGenerator random)
{
    /// <summary>Largest magnitude of a level.</summary>
    public const int LargestLevel = BlindSpec.Levels;

    private const int RandomBytes = sizeof(uint);
    private byte[] _draws = [];

    /// <summary>Scales values, clips them to the grid and rounds them to it, in place; those that are not finite stay.</summary>
    /// <param name="values">The values.</param>
    /// <param name="scale">What each is multiplied by first.</param>
    /// <param name="exponent">The grid's.</param>
    /// <returns>Values that lay outside the grid.</returns>
    public long Round(Span<float> values, double scale, int exponent)
    {
        if (_draws.Length < values.Length * RandomBytes) _draws = new byte[values.Length * RandomBytes];
        random.GetBytes(_draws, 0, values.Length * RandomBytes);
        var (steps, step, clipped) = (scale * Math.ScaleB(1, -exponent), Math.ScaleB(1, exponent), 0L);
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i])) continue;
            var asked = values[i] * steps;
            var position = Math.Clamp(asked, -LargestLevel, LargestLevel);
            if (position != asked) clipped++;
            var below = Math.Floor(position);
            var chance = BinaryPrimitives.ReadUInt32LittleEndian(_draws.AsSpan(i * RandomBytes)) / (double)(1L << 32);
            values[i] = (float)((chance < position - below ? below + 1 : below) * step);
        }

        return clipped;
    }

    /// <summary>The words of values on the grid.</summary>
    /// <exception cref="ArgumentException">A value is not on it.</exception>
    public static void ToWords(ReadOnlySpan<float> values, int exponent, Span<uint> words)
    {
        var steps = Math.ScaleB(1, -exponent);
        for (var i = 0; i < values.Length; i++)
        {
            var level = values[i] * steps;
            // Written so that NaN is refused too.
            if (!(Math.Abs(
                level) <= LargestLevel) || level != Math.Floor(level)) throw new ArgumentException("A value is not on the grid.");
            words[i] = Words24.FromLevel((int)level);
        }
    }
}

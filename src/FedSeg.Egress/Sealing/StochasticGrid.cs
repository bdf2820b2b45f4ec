using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FedSeg.Egress.Sealing;

/// <summary>How finely weights may tell what they tell when they leave.</summary>
public enum Requantisation
{
    /// <summary>As trained, float32.</summary>
    Off,

    /// <summary>65 535 steps a tensor.</summary>
    Bits16,

    /// <summary>255 steps a tensor.</summary>
    Bits8,
}

/// <summary>
/// Rounds a tensor's values to a grid of few steps, up or down by chance, so that nothing can be hidden in their low digits: what a trainer wrote there becomes noise. The
/// step is a power of two, because a step taken from the values would itself be a channel; every grid value is then exact in float32. Unbiased: the mean of the rounding
/// is the value (QSGD, Alistarh et al. 2017, section 3.1, with a fixed grid).
/// </summary>
/// <param name="requantisation">Steps.</param>
/// <param name="random">Cryptographic, outside tests.</param>
internal sealed class StochasticGrid(Requantisation requantisation, RandomNumberGenerator random)
{
    private const int RandomBytes = sizeof(uint);
    private byte[] _draws = [];

    /// <summary>Whether values are changed at all.</summary>
    public bool IsOff => requantisation == Requantisation.Off;

    /// <summary>The step for a tensor whose largest finite magnitude is <paramref name="largest"/>; 0 for a tensor of zeros.</summary>
    public double Step(double largest)
    {
        var levels = requantisation == Requantisation.Bits8 ? sbyte.MaxValue : short.MaxValue;
        // Float32 has no smaller exponent: a finer grid than its subnormals is none.
        const int smallestExponent = -149;
        return largest == 0 ? 0 : Math.ScaleB(1, Math.Max(smallestExponent, (int)Math.Ceiling(Math.Log2(largest / levels))));
    }

    /// <summary>Rounds values in place; those that are not finite stay, for the rule that refuses them.</summary>
    public void Round(Span<float> values, double step)
    {
        if (step == 0) return;
        if (_draws.Length < values.Length * RandomBytes) _draws = new byte[values.Length * RandomBytes];
        random.GetBytes(_draws, 0, values.Length * RandomBytes);
        for (var i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i])) continue;
            var position = values[i] / step;
            var below = Math.Floor(position);
            var chance = BinaryPrimitives.ReadUInt32LittleEndian(_draws.AsSpan(i * RandomBytes)) / (double)(1L << 32);
            values[i] = (float)((chance < position - below ? below + 1 : below) * step);
        }
    }
}

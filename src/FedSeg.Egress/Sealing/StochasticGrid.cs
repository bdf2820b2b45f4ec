using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedSeg.Federation.Weights;

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

/// <summary>What an update's encoding asks of the rounding before it.</summary>
internal static class Requantisations
{
    /// <summary>The coarser of the policy's rounding and what the encoding can hold.</summary>
    public static Requantisation AtLeast(this Requantisation policy, UpdateEncoding encoding)
    {
        var needed = encoding switch
        {
            UpdateEncoding.I16 => Requantisation.Bits16,
            UpdateEncoding.I8 => Requantisation.Bits8,
            _ => Requantisation.Off,
        };
        return (Requantisation)Math.Max((int)policy, (int)needed);
    }
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
    /// <summary>A draw has as many bits as a float32 holds exactly.</summary>
    private const int DrawBits = 24;

    private uint[] _draws = [];

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
        if (step == 0 || IsOff) return;
        if (_draws.Length < values.Length) _draws = new uint[values.Length];
        var draws = _draws.AsSpan(0, values.Length);
        random.GetBytes(MemoryMarshal.AsBytes(draws));
        // A subnormal step has no float32 reciprocal; values that small are rare enough to go one by one.
        var done = float.IsFinite((float)(1 / step)) ? RoundVectors(values, draws, (float)step) : 0;
        for (var i = done; i < values.Length; i++)
        {
            if (float.IsFinite(values[i])) values[i] = Round(values[i], step, draws[i]);
        }
    }

    // Scaling by a power of two and flooring are exact in either width, so both ways give the same bits.
    private static float Round(float value, double step, uint draw)
    {
        var position = value / step;
        var below = Math.Floor(position);
        var chance = Math.ScaleB(draw >> (32 - DrawBits), -DrawBits);
        return (float)((chance < position - below ? below + 1 : below) * step);
    }

    /// <summary>Rounds as many values as fill vectors; infinities and NaN come out as they went in.</summary>
    /// <returns>How many those are.</returns>
    private static int RoundVectors(Span<float> values, ReadOnlySpan<uint> draws, float step)
    {
        var perStep = new Vector<float>(1 / step);
        var unit = new Vector<float>(MathF.ScaleB(1, -DrawBits));
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var position = new Vector<float>(values[i..]) * perStep;
            var below = Vector.Floor(position);
            var chance = Vector.ConvertToSingle(Vector.AsVectorInt32(Vector.ShiftRightLogical(new Vector<uint>(draws[i..]), 32 - DrawBits))) * unit;
            var rounded = Vector.ConditionalSelect(Vector.LessThan(chance, position - below), below + Vector<float>.One, below);
            (rounded * new Vector<float>(step)).CopyTo(values[i..]);
        }

        return i;
    }
}

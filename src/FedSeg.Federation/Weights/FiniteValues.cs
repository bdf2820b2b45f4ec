using System.Numerics;
using System.Runtime.InteropServices;

namespace FedSeg.Federation.Weights;

/// <summary>Looks for values that are not numbers. A float32 is NaN or infinite exactly when all eight bits of its exponent are set.</summary>
public static class FiniteValues
{
    private const uint Exponent = 0x7F80_0000, Magnitude = 0x7FFF_FFFF, SmallestNormal = 0x0080_0000;

    /// <summary>Index of the first value that is NaN or infinite; −1 when there is none.</summary>
    public static int IndexOfNonFinite(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var exponent = new Vector<uint>(Exponent);
        var start = 0;
        while (start <= bits.Length - Vector<uint>.Count && !Vector.EqualsAny(new Vector<uint>(bits[start..]) & exponent, exponent)) start += Vector<uint>.Count;
        for (var i = start; i < bits.Length; i++)
        {
            if ((bits[i] & Exponent) == Exponent) return i;
        }

        return -1;
    }

    /// <summary>How many values are NaN or infinite.</summary>
    public static int CountNonFinite(ReadOnlySpan<float> values)
    {
        var count = 0;
        for (int next; (next = IndexOfNonFinite(values)) >= 0; values = values[(next + 1)..]) count++;
        return count;
    }

    /// <summary>How many values are subnormal: not 0, and too small for float32 to hold all their digits.</summary>
    public static int CountSubnormal(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var count = 0;
        // Of 0 the difference wraps around to the largest number there is.
        foreach (var value in bits) count += (value & Magnitude) - 1 < SmallestNormal - 1 ? 1 : 0;
        return count;
    }

    /// <summary>The largest magnitude among the finite values; 0 when there is none.</summary>
    public static float LargestFinite(ReadOnlySpan<float> values)
    {
        // Without their sign, the bits of finite values are ordered as their magnitudes are.
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var largest = Vector<uint>.Zero;
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            var magnitude = new Vector<uint>(bits[i..]) & new Vector<uint>(Magnitude);
            var finite = Vector.LessThan(magnitude, new Vector<uint>(Exponent));
            largest = Vector.Max(largest, magnitude & finite);
        }

        var most = 0u;
        for (var lane = 0; lane < Vector<uint>.Count; lane++) most = Math.Max(most, largest[lane]);
        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Magnitude) < Exponent) most = Math.Max(most, bits[i] & Magnitude);
        }

        return BitConverter.UInt32BitsToSingle(most);
    }
}

using System.Numerics;
using System.Runtime.InteropServices;

namespace FedSeg.Federation.Weights;

/// <summary>Looks for values that are not numbers. A float32 is NaN or infinite exactly when all eight bits of its exponent are set.</summary>
public static class FiniteValues
{
    private const uint Exponent = 0x7F80_0000;

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
}

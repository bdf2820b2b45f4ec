using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// A sum over a vector given in chunks: element i goes to lane i mod 8, the lanes are added in order at the end. The order of additions is
/// part of the definition, so a machine with 8 doubles to a register, with 4, with 2 or with none gets the same bits; multiplication and
/// addition are never fused. Every chunk but the last must have a multiple of 8 elements.
/// </summary>
public struct LaneSum
{
    /// <summary>Sums that are kept side by side.</summary>
    public const int Lanes = 8;

    private Vector512<double> _lanes;

    /// <summary>All lanes together, in order.</summary>
    public readonly double Total
    {
        get
        {
            var total = 0.0;
            for (var lane = 0; lane < Lanes; lane++) total += _lanes[lane];
            return total;
        }
    }

    /// <summary>Adds Σ x·y.</summary>
    public void AddProducts(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ref var left = ref MemoryMarshal.GetReference(x);
        ref var right = ref MemoryMarshal.GetReference(y);
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            _lanes += Vector512.LoadUnsafe(ref left, (nuint)i) * Vector512.LoadUnsafe(ref right, (nuint)i);
        }

        if (i < x.Length) _lanes += Last(x[i..]) * Last(y[i..x.Length]);
    }

    /// <summary>Adds Σ x·y of float32 values; products and sum are double.</summary>
    public void AddProducts(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ref var left = ref MemoryMarshal.GetReference(x);
        ref var right = ref MemoryMarshal.GetReference(y);
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            _lanes += Widen(Vector256.LoadUnsafe(ref left, (nuint)i)) * Widen(Vector256.LoadUnsafe(ref right, (nuint)i));
        }

        if (i < x.Length) _lanes += Widen(Last(x[i..])) * Widen(Last(y[i..x.Length]));
    }

    /// <summary>Adds Σ (x − y)².</summary>
    public void AddSquaredDifferences(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ref var left = ref MemoryMarshal.GetReference(x);
        ref var right = ref MemoryMarshal.GetReference(y);
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            var difference = Vector512.LoadUnsafe(ref left, (nuint)i) - Vector512.LoadUnsafe(ref right, (nuint)i);
            _lanes += difference * difference;
        }

        if (i < x.Length)
        {
            var difference = Last(x[i..]) - Last(y[i..x.Length]);
            _lanes += difference * difference;
        }
    }

    private static Vector512<double> Widen(Vector256<float> eight)
    {
        var (lower, upper) = Vector256.Widen(eight);
        return Vector512.Create(lower, upper);
    }

    /// <summary>The last, short group, filled up with zeros, which add nothing.</summary>
    private static Vector512<double> Last(ReadOnlySpan<double> rest)
    {
        Span<double> padded = stackalloc double[Lanes];
        padded.Clear();
        rest.CopyTo(padded);
        return Vector512.Create<double>(padded);
    }

    private static Vector256<float> Last(ReadOnlySpan<float> rest)
    {
        Span<float> padded = stackalloc float[Lanes];
        padded.Clear();
        rest.CopyTo(padded);
        return Vector256.Create<float>(padded);
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedSeg.Federation.Aggregation;

/// <summary>Float32 to double and back, each value as a cast would do it, so on every machine the same.</summary>
internal static class FloatWidths
{
    /// <summary>Widens exactly. The spans may overlap where the floats lie in the upper half of the doubles' memory.</summary>
    public static void Widen(ReadOnlySpan<float> floats, Span<double> doubles)
    {
        ref var source = ref MemoryMarshal.GetReference(floats);
        ref var target = ref MemoryMarshal.GetReference(doubles);
        var i = 0;
        for (; i <= floats.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (lower, upper) = Vector256.Widen(Vector256.LoadUnsafe(ref source, (nuint)i));
            lower.StoreUnsafe(ref target, (nuint)i);
            upper.StoreUnsafe(ref target, (nuint)(i + Vector256<double>.Count));
        }

        for (; i < floats.Length; i++) doubles[i] = floats[i];
    }

    /// <summary>Rounds to the nearest float32, ties to even; what is too large becomes infinite.</summary>
    public static void Narrow(ReadOnlySpan<double> doubles, Span<float> floats)
    {
        ref var source = ref MemoryMarshal.GetReference(doubles);
        ref var target = ref MemoryMarshal.GetReference(floats);
        var i = 0;
        for (; i <= doubles.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var lower = Vector256.LoadUnsafe(ref source, (nuint)i);
            var upper = Vector256.LoadUnsafe(ref source, (nuint)(i + Vector256<double>.Count));
            Vector256.Narrow(lower, upper).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < doubles.Length; i++) floats[i] = (float)doubles[i];
    }
}

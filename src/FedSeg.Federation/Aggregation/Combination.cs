using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedSeg.Federation.Aggregation;

/// <summary>How the elements of a round's updates become one change, once a rule has seen what it must of whole updates.</summary>
internal abstract class Combination
{
    /// <summary>Elements combined at once.</summary>
    public abstract int ChunkLength { get; }

    /// <summary>
    /// Fills <paramref name="change"/> with the change of the elements from <paramref name="start"/> on; at most <see cref="ChunkLength"/>.
    /// </summary>
    public abstract void Combine(long start, Span<double> change);
}

/// <summary>Σ coefficient · update, sites in order; an update with coefficient 0 is not read.</summary>
internal sealed class LinearCombination(BoundedUpdates updates, IReadOnlyList<double> coefficients) : Combination
{
    private readonly double[] _chunk = new double[BoundedUpdates.ChunkLength];

    public override int ChunkLength => BoundedUpdates.ChunkLength;

    public override void Combine(long start, Span<double> change)
    {
        change.Clear();
        for (var k = 0; k < updates.Count; k++)
        {
            if (coefficients[k] == 0) continue;
            var update = _chunk.AsSpan(0, change.Length);
            updates.Read(k, start, update);
            AddScaled(change, update, coefficients[k]);
        }
    }

    private static void AddScaled(Span<double> sum, ReadOnlySpan<double> values, double coefficient)
    {
        ref var target = ref MemoryMarshal.GetReference(sum);
        ref var source = ref MemoryMarshal.GetReference(values);
        var i = 0;
        for (; i <= sum.Length - LaneSum.Lanes; i += LaneSum.Lanes)
        {
            var scaled = Vector512.LoadUnsafe(ref source, (nuint)i) * coefficient;
            (Vector512.LoadUnsafe(ref target, (nuint)i) + scaled).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < sum.Length; i++) sum[i] += values[i] * coefficient;
    }
}

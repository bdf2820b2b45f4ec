using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Several updates side by side, every element's values in ascending order: row 0 holds the smallest of each column. Sorts all columns of a
/// chunk at once by comparing and exchanging whole rows, a vector of columns at a time.
/// </summary>
internal sealed class SortedColumns
{
    private readonly BoundedUpdates _updates;
    private readonly ImmutableArray<int> _members;
    private readonly double[][] _rows;

    /// <param name="updates">The round's updates.</param>
    /// <param name="members">Which of them take part.</param>
    public SortedColumns(BoundedUpdates updates, ImmutableArray<int> members)
    {
        _updates = updates;
        _members = members;
        ChunkLength = BoundedUpdates.SideBySideLength(members.Length);
        _rows = [.. members.Select(_ => new double[ChunkLength])];
    }

    public int ChunkLength { get; }

    public int Count => _members.Length;

    /// <summary>The values of rank <paramref name="rank"/> of every column read last.</summary>
    public double[] Row(int rank) => _rows[rank];

    /// <summary>
    /// Reads and sorts the columns from <paramref name="start"/> on. What lies beyond <paramref name="length"/> in the rows has no meaning.
    /// </summary>
    public void Read(long start, int length)
    {
        for (var k = 0; k < _members.Length; k++) _updates.Read(_members[k], start, _rows[k].AsSpan(0, length));
        var groups = (length + LaneSum.Lanes - 1) / LaneSum.Lanes;
        for (var sorted = 1; sorted < _rows.Length; sorted++)
        {
            for (var k = sorted; k > 0; k--) Exchange(_rows[k - 1], _rows[k], groups);
        }
    }

    private static void Exchange(double[] lower, double[] upper, int groups)
    {
        ref var low = ref MemoryMarshal.GetArrayDataReference(lower);
        ref var high = ref MemoryMarshal.GetArrayDataReference(upper);
        for (var i = 0; i < groups * LaneSum.Lanes; i += LaneSum.Lanes)
        {
            var a = Vector512.LoadUnsafe(ref low, (nuint)i);
            var b = Vector512.LoadUnsafe(ref high, (nuint)i);
            Vector512.Min(a, b).StoreUnsafe(ref low, (nuint)i);
            Vector512.Max(a, b).StoreUnsafe(ref high, (nuint)i);
        }
    }
}

/// <summary>The mean of every element's middle values: as many of the smallest as of the largest are left out.</summary>
/// <param name="updates">The round's updates.</param>
/// <param name="cut">Values left out on each side; fewer than half of them.</param>
internal sealed class MiddleMean(BoundedUpdates updates, int cut) : Combination
{
    private readonly SortedColumns _columns = new(updates, [.. Enumerable.Range(0, updates.Count)]);

    public override int ChunkLength => _columns.ChunkLength;

    public override void Combine(long start, Span<double> change)
    {
        _columns.Read(start, change.Length);
        change.Clear();
        for (var rank = cut; rank < _columns.Count - cut; rank++)
        {
            var row = _columns.Row(rank);
            for (var i = 0; i < change.Length; i++) change[i] += row[i];
        }

        var kept = _columns.Count - 2 * cut;
        for (var i = 0; i < change.Length; i++) change[i] /= kept;
    }
}

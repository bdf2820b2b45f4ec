using System.Collections.Immutable;

namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// Bulyan (El Mhamdi et al. 2018, "The hidden vulnerability of distributed learning", section 4): Krum picks θ = n − 2f updates one after
/// the other, each time among those that are left; every weight is then the mean of the θ − 2f values nearest to its median. Needs n ≥ 4f +
/// 3.
/// </summary>
/// <param name="Byzantine">Sites that may be hostile, f.</param>
public sealed record Bulyan(int Byzantine) : CombineRule
{
    public override int FewestUpdates => 4 * Byzantine + 3;

    public override string Describe() => $"bulyan with byzantine {Byzantine}";

    internal override Combination Plan(BoundedUpdates updates)
    {
        var selected = Select(updates.SquaredDistances(), updates.Count - 2 * Byzantine);
        return new NearestToMedian(updates, selected, selected.Length - 2 * Byzantine);
    }

    private ImmutableArray<int> Select(double[,] distances, int count)
    {
        var left = Enumerable.Range(0, distances.GetLength(0)).ToList();
        var selected = new List<int>(count);
        while (selected.Count < count)
        {
            var scores = KrumScores.Of(distances, left, Byzantine);
            var best = left[Array.IndexOf(scores, scores.Min())];
            left.Remove(best);
            selected.Add(best);
        }

        return [.. selected.Order()];
    }
}

/// <summary>For every element the mean of the values nearest to the median of all; the smaller of two equally near ones.</summary>
internal sealed class NearestToMedian(BoundedUpdates updates, ImmutableArray<int> members, int keep) : Combination
{
    private readonly SortedColumns _columns = new(updates, members);

    public override int ChunkLength => _columns.ChunkLength;

    public override void Combine(long start, Span<double> change)
    {
        _columns.Read(start, change.Length);
        for (var i = 0; i < change.Length; i++) change[i] = MeanNearMedian(i);
    }

    private double MeanNearMedian(int column)
    {
        var (first, last) = (0, _columns.Count - 1);
        var median = (_columns.Row(last / 2)[column] + _columns.Row((last + 1) / 2)[column]) / 2;
        while (last - first + 1 > keep)
        {
            // In sorted order the farthest value is always at one of the ends.
            if (median - _columns.Row(first)[column] > _columns.Row(last)[column] - median) first++;
            else last--;
        }

        var sum = 0.0;
        for (var rank = first; rank <= last; rank++) sum += _columns.Row(rank)[column];
        return sum / keep;
    }
}

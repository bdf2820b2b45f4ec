using System.Collections.Immutable;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// A round's updates in site order, each shortened to its norm bound as it is read, and what has to be measured over whole updates.
/// </summary>
internal sealed class BoundedUpdates(
    ImmutableArray<Contribution> contributions, IReadOnlyList<double> scales, CancellationToken cancellationToken)
{
    /// <summary>Elements read at once from one update: 256 KiB of doubles.</summary>
    public const int ChunkLength = 1 << 15;

    /// <summary>Elements of several updates held side by side: 2 MiB of doubles, whatever the number of sites.</summary>
    private const int SideBySide = 1 << 18;

    public ImmutableArray<Contribution> Contributions => contributions;

    public int Count => contributions.Length;

    public long Length => contributions[0].Update.Length;

    /// <summary>
    /// Chunk length when <paramref name="count"/> updates are held side by side; a multiple of the lanes of <see cref="LaneSum"/>.
    /// </summary>
    public static int SideBySideLength(int count) =>
        Math.Clamp(SideBySide / count, LaneSum.Lanes, ChunkLength) / LaneSum.Lanes * LaneSum.Lanes;

    public void Read(int index, long start, Span<double> destination)
    {
        contributions[index].Update.Read(start, destination);
        var scale = scales[index];
        if (scale == 1) return;
        for (var i = 0; i < destination.Length; i++) destination[i] *= scale;
    }

    /// <summary>L2 norm of each update.</summary>
    /// <exception cref="AggregationException">An update is not finite.</exception>
    public double[] Norms()
    {
        var norms = new double[Count];
        // Each update for itself, so that the order of additions stays its own whatever the number of cores.
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, Count, options, () => new double[ChunkLength], (k, _, chunk) => Measure(k, norms, chunk), _ => { });
        for (var k = 0; k < Count; k++)
        {
            if (!double.IsFinite(norms[k])) throw new AggregationException($"The update of site '{contributions[k].Site}' is not finite.");
        }

        return norms;
    }

    private double[] Measure(int index, double[] norms, double[] chunk)
    {
        var sum = new LaneSum();
        for (var start = 0L; start < Length && !cancellationToken.IsCancellationRequested; start += ChunkLength)
        {
            var piece = chunk.AsSpan(0, (int)Math.Min(ChunkLength, Length - start));
            Read(index, start, piece);
            sum.AddProducts(piece, piece);
        }

        norms[index] = Math.Sqrt(sum.Total);
        return chunk;
    }

    /// <summary>Dot product of each update with one of them.</summary>
    public double[] Dots(int with)
    {
        var (left, right) = (new double[ChunkLength], new double[ChunkLength]);
        var sums = new LaneSum[Count];
        foreach (var (start, length) in Chunks(ChunkLength))
        {
            Read(with, start, left.AsSpan(0, length));
            for (var k = 0; k < Count; k++)
            {
                Read(k, start, right.AsSpan(0, length));
                sums[k].AddProducts(left.AsSpan(0, length), right.AsSpan(0, length));
            }
        }

        return [.. sums.Select(sum => sum.Total)];
    }

    /// <summary>Squared L2 distance between every two updates, <c>[Count, Count]</c>, symmetric; every update is read once.</summary>
    /// <exception cref="AggregationException">An update is not finite.</exception>
    public double[,] SquaredDistances()
    {
        var chunkLength = SideBySideLength(Count);
        var rows = contributions.Select(_ => new double[chunkLength]).ToArray();
        var sums = new LaneSum[Count * (Count - 1) / 2];
        foreach (var (start, length) in Chunks(chunkLength))
        {
            for (var k = 0; k < Count; k++) Read(k, start, rows[k].AsSpan(0, length));
            var pair = 0;
            for (var a = 0; a < Count; a++)
            {
                var row = rows[a].AsSpan(0, length);
                for (var b = a + 1; b < Count; b++) sums[pair++].AddSquaredDifferences(row, rows[b].AsSpan(0, length));
            }
        }

        return Matrix(sums);
    }

    private double[,] Matrix(LaneSum[] sums)
    {
        var distances = new double[Count, Count];
        var pair = 0;
        for (var a = 0; a < Count; a++)
        {
            for (var b = a + 1; b < Count; b++)
            {
                var squared = sums[pair++].Total;
                if (!double.IsFinite(squared))
                {
                    throw new AggregationException($"The update of site '{contributions[a].Site}' or '{contributions[b].Site}' is not finite.");
                }

                distances[a, b] = distances[b, a] = squared;
            }
        }

        return distances;
    }

    private IEnumerable<(long Start, int Length)> Chunks(int chunkLength)
    {
        for (var start = 0L; start < Length; start += chunkLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return (start, (int)Math.Min(chunkLength, Length - start));
        }
    }
}

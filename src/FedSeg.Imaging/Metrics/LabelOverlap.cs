using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>Voxel counts of one label in two maps, and the smallest box that holds it in both.</summary>
internal sealed class LabelOverlap
{
    private Index3 low = new(int.MaxValue, int.MaxValue, int.MaxValue);
    private Index3 high = new(-1, -1, -1);

    public long InBoth { get; private set; }

    public long InReferenceOnly { get; private set; }

    public long InPredictionOnly { get; private set; }

    public Emptiness Emptiness => (InBoth + InReferenceOnly, InBoth + InPredictionOnly) switch
    {
        (0, 0) => Emptiness.BothEmpty,
        (0, _) => Emptiness.ReferenceEmpty,
        (_, 0) => Emptiness.PredictionEmpty,
        _ => Emptiness.None,
    };

    /// <summary>First voxel of the box.</summary>
    public Index3 BoxStart => low;

    /// <summary>Voxels along each axis of the box; meaningless where both masks are empty.</summary>
    public Index3 BoxSize => new(high.Z - low.Z + 1, high.Y - low.Y + 1, high.X - low.X + 1);

    /// <summary>One scan of both maps, run by run of equal pairs, for all labels.</summary>
    /// <returns>256 entries, one a label; null where neither map has it.</returns>
    public static LabelOverlap?[] Scan(LabelVolume reference, LabelVolume prediction)
    {
        var found = new LabelOverlap?[256];
        var gate = new Lock();
        Parallel.For(0, reference.Grid.Size.Z, () => new LabelOverlap?[256], (z, _, ofThread) =>
        {
            ScanSlice(reference, prediction, z, ofThread);
            return ofThread;
        }, ofThread =>
        {
            lock (gate)
            {
                for (var label = 0; label < found.Length; label++)
                {
                    if (ofThread[label] is { } part) (found[label] ??= new LabelOverlap()).Add(part);
                }
            }
        });
        return found;
    }

    private static void ScanSlice(LabelVolume reference, LabelVolume prediction, int z, LabelOverlap?[] found)
    {
        var size = reference.Grid.Size;
        for (var y = 0; y < size.Y; y++)
        {
            var start = (z * size.Y + y) * size.X;
            var ours = reference.Labels.AsSpan(start, size.X);
            var theirs = prediction.Labels.AsSpan(start, size.X);
            for (var x = 0; x < size.X;)
            {
                var (a, b) = (ours[x], theirs[x]);
                var end = x + Math.Min(RunLength(ours[x..], a), RunLength(theirs[x..], b));
                if (a == b)
                {
                    (found[a] ??= new LabelOverlap()).Include(z, y, x, end).InBoth += end - x;
                }
                else
                {
                    (found[a] ??= new LabelOverlap()).Include(z, y, x, end).InReferenceOnly += end - x;
                    (found[b] ??= new LabelOverlap()).Include(z, y, x, end).InPredictionOnly += end - x;
                }

                x = end;
            }
        }
    }

    private static int RunLength(ReadOnlySpan<byte> labels, byte label)
    {
        var end = labels.IndexOfAnyExcept(label);
        return end < 0 ? labels.Length : end;
    }

    private LabelOverlap Include(int z, int y, int start, int end)
    {
        low = new Index3(Math.Min(low.Z, z), Math.Min(low.Y, y), Math.Min(low.X, start));
        high = new Index3(Math.Max(high.Z, z), Math.Max(high.Y, y), Math.Max(high.X, end - 1));
        return this;
    }

    private void Add(LabelOverlap part)
    {
        low = new Index3(Math.Min(low.Z, part.low.Z), Math.Min(low.Y, part.low.Y), Math.Min(low.X, part.low.X));
        high = new Index3(Math.Max(high.Z, part.high.Z), Math.Max(high.Y, part.high.Y), Math.Max(high.X, part.high.X));
        InBoth += part.InBoth;
        InReferenceOnly += part.InReferenceOnly;
        InPredictionOnly += part.InPredictionOnly;
    }
}

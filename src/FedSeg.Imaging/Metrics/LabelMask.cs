using System.Runtime.Intrinsics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>The voxels of one label within a box that holds all of them; outside the box is outside the mask.</summary>
internal sealed class LabelMask
{
    /// <param name="labels">The map.</param>
    /// <param name="label">Which of its labels.</param>
    /// <param name="overlap">The box.</param>
    public LabelMask(LabelVolume labels, byte label, LabelOverlap overlap)
    {
        IsPlane = labels.Grid.Size.Z == 1;
        Voxels = new BitGrid(overlap.BoxSize);
        var (start, whole, box) = (overlap.BoxStart, labels.Grid.Size, overlap.BoxSize);
        Parallel.For(0, box.Z, z =>
        {
            for (var y = 0; y < box.Y; y++)
            {
                var row = labels.Labels.AsSpan(((start.Z + z) * whole.Y + start.Y + y) * whole.X + start.X, box.X);
                Mark(row, label, Voxels.Words(z, y)[1..]);
            }
        });
    }

    public BitGrid Voxels { get; }

    /// <summary>Whether the whole image is a single slice, and the mask thus two-dimensional.</summary>
    public bool IsPlane { get; }

    private static void Mark(ReadOnlySpan<byte> row, byte label, Span<ulong> words)
    {
        if (!row.Contains(label)) return;
        var (sought, x) = (Vector512.Create(label), 0);
        for (; x + 64 <= row.Length; x += 64)
        {
            words[x / 64] = Vector512.Equals(Vector512.Create(row.Slice(x, 64)), sought).ExtractMostSignificantBits();
        }

        for (; x < row.Length; x++)
        {
            if (row[x] == label) words[x / 64] |= 1UL << (x % 64);
        }
    }
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// The voxels of one label, cut out to a box that holds all of them in memory order <c>[z, y, x]</c>; outside the box is outside the mask.
/// </summary>
internal sealed class LabelMask
{
    private readonly bool[] voxels;
    private readonly bool[] beyond;

    /// <param name="voxels">The mask on the box.</param>
    /// <param name="size">The box.</param>
    /// <param name="isPlane">Whether the whole image is a single slice, and the mask thus two-dimensional.</param>
    public LabelMask(bool[] voxels, Index3 size, bool isPlane)
    {
        this.voxels = voxels;
        beyond = new bool[size.X];
        Size = size;
        IsPlane = isPlane;
    }

    public Index3 Size { get; }

    public bool IsPlane { get; }

    public static LabelMask Of(LabelVolume labels, byte label, LabelOverlap overlap)
    {
        var (start, box, size) = (overlap.BoxStart, overlap.BoxSize, labels.Grid.Size);
        var mask = new bool[box.Z * box.Y * box.X];
        Parallel.For(0, box.Z * box.Y, row =>
        {
            var (z, y) = Math.DivRem(row, box.Y);
            var from = labels.Labels.AsSpan(((start.Z + z) * size.Y + start.Y + y) * size.X + start.X, box.X);
            var to = mask.AsSpan(row * box.X, box.X);
            for (var x = 0; x < to.Length; x++) to[x] = from[x] == label;
        });
        return new LabelMask(mask, box, size.Z == 1);
    }

    /// <summary>Indices, ascending, of the mask's voxels with a face neighbour outside it: of the six, or of the four in a plane.</summary>
    public int[] Boundary()
    {
        var slices = new int[Size.Z][];
        Parallel.For(0, Size.Z, z => slices[z] = BoundaryOf(z));
        return [.. slices.SelectMany(slice => slice)];
    }

    private int[] BoundaryOf(int z)
    {
        var boundary = new List<int>();
        for (var y = 0; y < Size.Y; y++)
        {
            var row = Row(z, y);
            if (!row.Contains(true)) continue;
            var before = Row(z, y - 1);
            var after = Row(z, y + 1);
            var below = IsPlane ? row : Row(z - 1, y);
            var above = IsPlane ? row : Row(z + 1, y);
            var start = (z * Size.Y + y) * Size.X;
            for (var x = 0; x < row.Length; x++)
            {
                if (!row[x]) continue;
                var inside = x > 0 && x + 1 < row.Length && row[x - 1] && row[x + 1];
                if (!(inside && before[x] && after[x] && below[x] && above[x])) boundary.Add(start + x);
            }
        }

        return [.. boundary];
    }

    /// <summary>A row of the box, or the empty one beyond it.</summary>
    private ReadOnlySpan<bool> Row(int z, int y)
    {
        var isInBox = (uint)z < (uint)Size.Z && (uint)y < (uint)Size.Y;
        return isInBox ? voxels.AsSpan((z * Size.Y + y) * Size.X, Size.X) : beyond;
    }
}

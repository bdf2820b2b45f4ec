using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>The voxels of one label, cut out to a box that holds all of them in memory order <c>[z, y, x]</c>; outside the box is outside the mask.</summary>
internal sealed class LabelMask
{
    private readonly bool[] voxels;

    /// <param name="voxels">The mask on the box.</param>
    /// <param name="size">The box.</param>
    /// <param name="isPlane">Whether the whole image is a single slice, and the mask thus two-dimensional.</param>
    public LabelMask(bool[] voxels, Index3 size, bool isPlane)
    {
        this.voxels = voxels;
        Size = size;
        IsPlane = isPlane;
    }

    public Index3 Size { get; }

    public bool IsPlane { get; }

    /// <summary>Whether a voxel of the box, or beyond it, is in the mask.</summary>
    public bool this[int z, int y, int x] =>
        (uint)z < (uint)Size.Z && (uint)y < (uint)Size.Y && (uint)x < (uint)Size.X && voxels[(z * Size.Y + y) * Size.X + x];

    public static LabelMask Of(LabelVolume labels, byte label, LabelOverlap overlap)
    {
        var (start, box, size) = (overlap.BoxStart, overlap.BoxSize, labels.Grid.Size);
        var mask = new bool[box.Z * box.Y * box.X];
        for (var row = 0; row < box.Z * box.Y; row++)
        {
            var (z, y) = Math.DivRem(row, box.Y);
            var from = labels.Labels.AsSpan(((start.Z + z) * size.Y + start.Y + y) * size.X + start.X, box.X);
            var to = mask.AsSpan(row * box.X, box.X);
            for (var x = 0; x < to.Length; x++) to[x] = from[x] == label;
        }

        return new LabelMask(mask, box, size.Z == 1);
    }

    /// <summary>Indices, ascending, of the mask's voxels with a face neighbour outside it: of the six, or of the four in a plane.</summary>
    public int[] Boundary()
    {
        var boundary = new List<int>();
        for (var row = 0; row < Size.Z * Size.Y; row++)
        {
            var (z, y) = Math.DivRem(row, Size.Y);
            for (var x = 0; x < Size.X; x++)
            {
                if (voxels[row * Size.X + x] && !IsInside(z, y, x)) boundary.Add(row * Size.X + x);
            }
        }

        return [.. boundary];
    }

    private bool IsInside(int z, int y, int x) =>
        this[z, y, x - 1] && this[z, y, x + 1] && this[z, y - 1, x] && this[z, y + 1, x] && (IsPlane || (this[z - 1, y, x] && this[z + 1, y, x]));
}

using System.Numerics;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// The surface of MONAI and MetricsReloaded: the voxels of a mask with a face neighbour outside it (outside the image is outside the
/// mask), each of weight 1. A single slice is two-dimensional: four neighbours instead of six.
/// </summary>
internal sealed class VoxelBoundary : SurfaceMap
{
    private VoxelBoundary(BitGrid points)
        : base(points)
    {
    }

    public static VoxelBoundary Of(LabelMask mask)
    {
        var points = new BitGrid(mask.Voxels.Size);
        Parallel.For(0, points.Size.Z, z =>
        {
            for (var y = 0; y < points.Size.Y; y++) MarkRow(mask, z, y, points.Words(z, y));
        });
        return new VoxelBoundary(points);
    }

    public override double WeightAt(int z, int y, int x) => 1;

    public override double WeightOf(ulong pieces, int z, int y, int x) => BitOperations.PopCount(pieces);

    private static void MarkRow(LabelMask mask, int z, int y, Span<ulong> points)
    {
        var row = mask.Voxels.Row(z, y);
        var before = mask.Voxels.Row(z, y - 1);
        var after = mask.Voxels.Row(z, y + 1);
        var below = mask.IsPlane ? row : mask.Voxels.Row(z - 1, y);
        var above = mask.IsPlane ? row : mask.Voxels.Row(z + 1, y);
        for (var word = 1; word < points.Length - 1; word++)
        {
            var inside = BitGrid.LeftOf(row, word) & BitGrid.RightOf(row, word) & before[word] & after[word] & below[word] & above[word];
            points[word] = row[word] & ~inside;
        }
    }
}

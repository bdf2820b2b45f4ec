namespace FedSeg.Imaging.Metrics;

/// <summary>
/// The surface of MONAI and MetricsReloaded: the voxels of a mask with a face neighbour outside it (outside the image is outside the
/// mask), each of weight 1. A single slice is two-dimensional: four neighbours instead of six.
/// </summary>
internal static class VoxelBoundary
{
    private static readonly double[] Weights = [0, 1];

    public static SurfaceMap Of(LabelMask mask)
    {
        var size = mask.Size;
        var codes = new byte[checked(size.Z * size.Y * size.X)];
        Parallel.For(0, size.Z, z =>
        {
            for (var y = 0; y < size.Y; y++) MarkRow(mask, z, y, codes.AsSpan((z * size.Y + y) * size.X, size.X));
        });
        return new SurfaceMap(size, codes, Weights);
    }

    private static void MarkRow(LabelMask mask, int z, int y, Span<byte> codes)
    {
        var row = mask.Row(z, y);
        if (!mask.HasAny(row)) return;
        var before = mask.Row(z, y - 1);
        var after = mask.Row(z, y + 1);
        var below = mask.IsPlane ? row : mask.Row(z - 1, y);
        var above = mask.IsPlane ? row : mask.Row(z + 1, y);
        for (var x = 0; x < row.Length; x++)
        {
            if (!mask.IsIn(row[x])) continue;
            var isInside = x > 0 && x + 1 < row.Length && mask.IsIn(row[x - 1]) && mask.IsIn(row[x + 1])
                && mask.IsIn(before[x]) && mask.IsIn(after[x]) && mask.IsIn(below[x]) && mask.IsIn(above[x]);
            if (!isInside) codes[x] = 1;
        }
    }
}

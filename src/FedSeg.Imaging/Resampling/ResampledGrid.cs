using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>The size, the true geometry and the coarse axis of a grid brought to another spacing.</summary>
internal static class ResampledGrid
{
    // Spacings measured from slice positions carry rounding; a tie for the coarsest axis must survive it.
    private const double TieTolerance = 1e-6;

    // Beyond this ratio of the largest to the smallest spacing, slices are too far apart to interpolate between (nnU-Net v2).
    private const double AnisotropyThreshold = 3;

    /// <summary>round(old spacing / new spacing · old size) an axis, halves to even as Python rounds; at least 1.</summary>
    public static int[] SizeAt(GridGeometry grid, IReadOnlyList<double> spacingMmZyx)
    {
        if (spacingMmZyx.Count != 3 || spacingMmZyx.Any(mm => !double.IsFinite(mm) || mm <= 0))
        {
            throw new ArgumentException(
                $"A target spacing needs three finite, positive lengths in mm, [z, y, x]; got [{string.Join(", ", spacingMmZyx)}].", nameof(spacingMmZyx));
        }

        var (old, sizes) = (SpacingsZyx(grid), SizesZyx(grid.Size));
        return [.. sizes.Select((size, axis) => Math.Max(1, checked((int)Math.Round(old[axis] / spacingMmZyx[axis] * size, MidpointRounding.ToEven))))];
    }

    /// <summary>
    /// The same box of tissue cut into <paramref name="sizes"/> voxels: the faces of the box stay, so the spacing is the one that fits
    /// (not quite the one asked for) and the first centre moves by half the difference of the old and new voxel.
    /// </summary>
    public static GridGeometry OfSize(GridGeometry grid, int[] sizes)
    {
        var (old, oldSizes) = (SpacingsZyx(grid), SizesZyx(grid.Size));
        var first = new double[3];
        var spacing = new double[3];
        for (var axis = 0; axis < 3; axis++)
        {
            var ratio = (double)oldSizes[axis] / sizes[axis];
            spacing[axis] = old[axis] * ratio;
            first[axis] = 0.5 * ratio - 0.5;
        }

        return grid with
        {
            Size = new Index3(sizes[0], sizes[1], sizes[2]),
            SpacingMm = new Vector3D(X: spacing[2], Y: spacing[1], Z: spacing[0]),
            OriginMm = grid.PositionMm(first[0], first[1], first[2]),
        };
    }

    /// <summary>
    /// The axis (0 z, 1 y, 2 x) along which voxels are only repeated or dropped, because the spacing now, or else the one wanted, is more than
    /// 3 times the smallest; null where there is none, or where axes tie for the coarsest.
    /// </summary>
    public static int? CoarseAxis(GridGeometry grid, IReadOnlyList<double> spacingMmZyx)
    {
        foreach (var spacing in new[] { SpacingsZyx(grid), spacingMmZyx })
        {
            var largest = spacing.Max();
            if (largest <= AnisotropyThreshold * spacing.Min()) continue;
            var coarsest = Enumerable.Range(0, 3).Where(axis => spacing[axis] >= largest * (1 - TieTolerance)).ToArray();
            return coarsest.Length == 1 ? coarsest[0] : null;
        }

        return null;
    }

    public static int[] SizesZyx(Index3 size) => [size.Z, size.Y, size.X];

    private static double[] SpacingsZyx(GridGeometry grid) => [grid.SpacingMm.Z, grid.SpacingMm.Y, grid.SpacingMm.X];
}

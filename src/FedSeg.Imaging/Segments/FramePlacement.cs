using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>Where a frame's pixels lie in a grid's memory: index = First + row · RowStride + column · ColumnStride.</summary>
internal sealed record FramePlacement(int Rows, int Columns, int First, int RowStride, int ColumnStride)
{
    /// <summary>
    /// The placement, or <see langword="null"/> when the frame lacks geometry, reaches outside the grid, or its corners are farther than
    /// <paramref name="tolerance"/> voxels from voxel centres.
    /// </summary>
    public static FramePlacement? On(GridGeometry grid, SegmentFrame frame, int rows, int columns, double tolerance)
    {
        if (frame is not { PositionMm: { } position, ColumnStepMm: { } columnStep, RowStepMm: { } rowStep })
        {
            return null;
        }

        var first = Nearest(grid, position, tolerance);
        var rowEnd = Nearest(grid, position + rowStep * (rows - 1), tolerance);
        var columnEnd = Nearest(grid, position + columnStep * (columns - 1), tolerance);
        var lastCorner = Nearest(grid, position + rowStep * (rows - 1) + columnStep * (columns - 1), tolerance);
        if (first is not { } origin || rowEnd is not { } bottom || columnEnd is not { } right || lastCorner is null)
        {
            return null;
        }

        return Stride(grid, origin, bottom, rows - 1) is { } rowStride && Stride(grid, origin, right, columns - 1) is { } columnStride
            ? new FramePlacement(rows, columns, Offset(grid, origin), rowStride, columnStride)
            : null;
    }

    /// <summary>Every frame of a segmentation falls on the grid, within the default tolerance.</summary>
    public static bool AllOn(GridGeometry grid, SegmentationHeader header) =>
        header.Frames.Count > 0
        && header.Frames.All(
            frame => On(grid, frame, header.Rows, header.Columns, SegmentationOptions.Default.PlacementToleranceVoxels) is not null);

    private static Index3? Nearest(GridGeometry grid, Vector3D positionMm, double tolerance)
    {
        var (x, y, z) = grid.IndexAt(positionMm);
        var fits = OnVoxel(z, grid.Size.Z, tolerance) && OnVoxel(y, grid.Size.Y, tolerance) && OnVoxel(x, grid.Size.X, tolerance);
        return fits ? new Index3((int)Math.Round(z), (int)Math.Round(y), (int)Math.Round(x)) : null;
    }

    private static bool OnVoxel(double index, int size, double tolerance) =>
        Math.Abs(index - Math.Round(index)) <= tolerance && Math.Round(index) >= 0 && Math.Round(index) < size;

    /// <summary>The memory step along a side that runs along exactly one axis of the grid, one voxel a pixel.</summary>
    private static int? Stride(GridGeometry grid, Index3 from, Index3 to, int steps)
    {
        int dz = to.Z - from.Z, dy = to.Y - from.Y, dx = to.X - from.X;
        if (steps == 0)
        {
            return 0;
        }

        var alongOneAxis = Math.Abs(dz) + Math.Abs(dy) + Math.Abs(dx) == steps && (dz == 0 ? 0 : 1) + (dy == 0 ? 0 : 1)
            + (dx == 0 ? 0 : 1) == 1;
        return alongOneAxis ? (Offset(grid, to) - Offset(grid, from)) / steps : null;
    }

    private static int Offset(GridGeometry grid, Index3 index) => (index.Z * grid.Size.Y + index.Y) * grid.Size.X + index.X;
}

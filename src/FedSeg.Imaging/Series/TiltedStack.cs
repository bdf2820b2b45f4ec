using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Series;

/// <summary>
/// Straightens a stack whose slices step sideways (a tilted gantry): the planes stay where they are, and each slice is moved in its plane
/// onto a grid of right angles that is wide enough to hold all of them.
/// </summary>
internal static class TiltedStack
{
    /// <param name="step">From one plane's first pixel to the next one's, mm.</param>
    public static ImageSeries Straighten(SliceHeader[] sorted, int[] planes, int count, Vector3D step, Vector3D normal)
    {
        var first = sorted[0];
        var (row, column) =
            (first.RowDirection * (1 / first.RowDirection.Length), first.ColumnDirection * (1 / first.ColumnDirection.Length));
        var (rowStep, columnStep) = (step.Dot(row) / first.RowSpacingMm, step.Dot(column) / first.ColumnSpacingMm);

        // Whole pixels before the first slice, so that this one keeps its pixel centres.
        var (rowsBefore, rows) = Widened(first.Rows, rowStep * (count - 1));
        var (columnsBefore, columns) = Widened(first.Columns, columnStep * (count - 1));
        var grid = new GridGeometry(
            new Index3(count, rows, columns),
            new Vector3D(first.ColumnSpacingMm, first.RowSpacingMm, step.Dot(normal)),
            first.PositionMm - row * (rowsBefore * first.RowSpacingMm) - column * (columnsBefore * first.ColumnSpacingMm),
            new AxisDirections(normal, row, column));
        return new ImageSeries(sorted, planes, grid, new PlaneShear((rowsBefore, columnsBefore), (rowStep, columnStep)));
    }

    /// <summary>Moves one slice onto its plane by linear interpolation; what no pixel of the slice reaches becomes NaN.</summary>
    /// <param name="slice"><c>[row, column]</c> of the file.</param>
    /// <param name="offset">Row and column of the grid where the slice's first pixel lies.</param>
    /// <param name="plane"><c>[row, column]</c> of the grid.</param>
    public static void Move(
        ReadOnlySpan<float> slice, (int Rows, int Columns) size, (double Row, double Column) offset, Span<float> plane, int planeColumns)
    {
        for (var i = 0; i < plane.Length; i++)
        {
            var (row, column) = (i / planeColumns - offset.Row, i % planeColumns - offset.Column);
            plane[i] = Interpolated(slice, size, row, column);
        }
    }

    private static float Interpolated(ReadOnlySpan<float> slice, (int Rows, int Columns) size, double row, double column)
    {
        // Offsets are sums of rounded steps; a pixel's own place must not fall outside by the last bit.
        const double Rounding = 1e-9;
        if (row < -Rounding || column < -Rounding || row > size.Rows - 1 + Rounding || column > size.Columns - 1 + Rounding)
        {
            return float.NaN;
        }

        var (r, c) = (Math.Clamp((int)row, 0, Math.Max(0, size.Rows - 2)), Math.Clamp((int)column, 0, Math.Max(0, size.Columns - 2)));
        var (down, right) = (Math.Clamp(row - r, 0, 1), Math.Clamp(column - c, 0, 1));
        var (below, beside) = (size.Rows > 1 ? size.Columns : 0, size.Columns > 1 ? 1 : 0);
        var at = r * size.Columns + c;
        return (float)Mixed(
            Mixed(slice[at], slice[at + beside], right),
            Mixed(slice[at + below], slice[at + below + beside], right),
            down);
    }

    /// <summary>A neighbour without weight has no say, be it outside the field of view (NaN) or not.</summary>
    private static double Mixed(double a, double b, double weight) => weight == 0 ? a : weight == 1 ? b : a + (b - a) * weight;

    private static (int Before, int Count) Widened(int count, double shift)
    {
        var extra = (int)Math.Ceiling(Math.Abs(shift) - 1e-9);
        return (shift < 0 ? extra : 0, count + extra);
    }
}

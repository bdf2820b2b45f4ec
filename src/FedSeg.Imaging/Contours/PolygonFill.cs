namespace FedSeg.Imaging.Contours;

/// <summary>
/// Fills polygons by the even-odd rule: a pixel belongs to the polygon when its centre lies inside. A centre exactly on an edge belongs to
/// the side with the greater row or column, so that polygons that share an edge neither overlap nor leave a seam.
/// </summary>
internal static class PolygonFill
{
    /// <summary>
    /// Flips every pixel inside. Several polygons flipped one after the other give their exclusive-or: a hole inside an outline stays
    /// empty. A keyhole, an outline that runs to its hole and back along one line, needs no special care: the line is crossed twice.
    /// </summary>
    /// <param name="polygon">Corners in pixels: (0, 0) is the first pixel's centre. The last one joins the first.</param>
    /// <param name="plane"><c>[row, column]</c></param>
    public static void Toggle(IReadOnlyList<(double Row, double Column)> polygon, bool[] plane, int rows, int columns)
    {
        var crossings = new List<(int Row, double Column)>();
        for (var i = 0; i < polygon.Count; i++)
        {
            AddCrossings(polygon[i], polygon[(i + 1) % polygon.Count], rows, crossings);
        }

        crossings.Sort();

        // A closed polygon crosses every row an even number of times: neighbours in the sorted list are where it is entered and left.
        for (var i = 0; i + 1 < crossings.Count; i += 2)
        {
            var (row, from) = crossings[i];
            var first = (int)Math.Clamp(Math.Ceiling(from), 0, columns);
            var end = (int)Math.Clamp(Math.Ceiling(crossings[i + 1].Column), 0, columns);
            for (var column = first; column < end; column++) plane[row * columns + column] ^= true;
        }
    }

    /// <summary>
    /// Where an edge crosses the rows' centre lines. Its upper end counts, its lower end doesn't: a corner on a line is crossed once.
    /// </summary>
    private static void AddCrossings((double Row, double Column) a, (double Row, double Column) b, int rows, List<(int, double)> crossings)
    {
        // From the upper end always: an edge that is walked both ways, as in a keyhole, must be crossed at the same place to the last bit.
        var (upper, lower) = a.Row <= b.Row ? (a, b) : (b, a);
        var first = Math.Max(0, Math.Ceiling(upper.Row));
        for (var row = first; row < lower.Row && row < rows; row++)
        {
            crossings.Add(((int)row, upper.Column + (row - upper.Row) * (lower.Column - upper.Column) / (lower.Row - upper.Row)));
        }
    }
}

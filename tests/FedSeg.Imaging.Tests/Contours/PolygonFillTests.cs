using FedSeg.Imaging.Contours;

namespace FedSeg.Imaging.Tests.Contours;

public sealed class PolygonFillTests
{
    private const int Rows = 7, Columns = 8;

    [Fact]
    public void Toggle_RectangleAlongPixelEdges_FillsExactlyItsPixels() => Filled(
        """
        ........
        .###....
        .###....
        ........
        ........
        ........
        ........
        """,
        [(0.5, 0.5), (0.5, 3.5), (2.5, 3.5), (2.5, 0.5)]);

    [Fact]
    public void Toggle_RectangleThroughPixelCentres_TakesUpperAndLeftEdgeOnly() => Filled(
        """
        ........
        .##.....
        .##.....
        ........
        ........
        ........
        ........
        """,
        [(1, 1), (1, 3), (3, 3), (3, 1)]);

    [Fact]
    public void Toggle_HoleAsContourOfItsOwn_StaysEmpty() => Filled(
        """
        ........
        .#####..
        .#...#..
        .#...#..
        .#####..
        ........
        ........
        """,
        [(0.5, 0.5), (0.5, 5.5), (4.5, 5.5), (4.5, 0.5)],
        [(1.5, 1.5), (1.5, 4.5), (3.5, 4.5), (3.5, 1.5)]);

    /// <summary>One outline that runs along a slanted line to the hole and back.</summary>
    [Fact]
    public void Toggle_HoleByKeyhole_IsTheSameAsByContour() => Filled(
        """
        ........
        .#####..
        .#...#..
        .#...#..
        .#####..
        ........
        ........
        """,
        [(0.5, 0.5), (1.5, 1.5), (3.5, 1.5), (3.5, 4.5), (1.5, 4.5), (1.5, 1.5), (0.5, 0.5), (0.5, 5.5), (4.5, 5.5), (4.5, 0.5)]);

    [Fact]
    public void Toggle_IslandInAHole_IsFilled() => Filled(
        """
        #######.
        #.....#.
        #.###.#.
        #.###.#.
        #.###.#.
        #.....#.
        #######.
        """,
        [(-0.5, -0.5), (-0.5, 6.5), (6.5, 6.5), (6.5, -0.5)],
        [(0.5, 0.5), (0.5, 5.5), (5.5, 5.5), (5.5, 0.5)],
        [(1.5, 1.5), (1.5, 4.5), (4.5, 4.5), (4.5, 1.5)]);

    [Fact]
    public void Toggle_PartlyOutsideTheImage_FillsWhatIsInside() => Filled(
        """
        ......##
        ......##
        ........
        ........
        ........
        ........
        ........
        """,
        [(-9, 5.5), (-9, 99), (1.5, 99), (1.5, 5.5)]);

    [Fact]
    public void Toggle_Triangle_TakesPixelsWhoseCentreIsInside() => Filled(
        """
        ........
        .#......
        .##.....
        .###....
        ........
        ........
        ........
        """,
        [(0.2, 0.7), (3.4, 0.7), (3.4, 3.9)]);

    /// <summary>
    /// Random polygons against the definition: a centre is inside when a ray from it crosses the outline an odd number of times.
    /// </summary>
    [Fact]
    public void Toggle_RandomPolygons_AgreesWithRayCasting()
    {
        var chance = new Random(3);
        for (var run = 0; run < 500; run++)
        {
            var polygon = Enumerable.Range(0, chance.Next(3, 12))
                .Select(_ => (Row: chance.NextDouble() * 9 - 1, Column: chance.NextDouble() * 10 - 1)).ToArray();
            var plane = new bool[Rows * Columns];
            PolygonFill.Toggle(polygon, plane, Rows, Columns);
            for (var i = 0; i < plane.Length; i++)
            {
                Assert.Equal(IsInside(polygon, i / Columns, i % Columns), plane[i]);
            }
        }
    }

    private static bool IsInside((double Row, double Column)[] polygon, double row, double column)
    {
        var inside = false;
        for (int i = 0, j = polygon.Length - 1; i < polygon.Length; j = i++)
        {
            var (a, b) = (polygon[i], polygon[j]);
            if (a.Row > row != b.Row > row && column < a.Column + (row - a.Row) * (b.Column - a.Column) / (b.Row - a.Row)) inside = !inside;
        }

        return inside;
    }

    private static void Filled(string expected, params (double Row, double Column)[][] polygons)
    {
        var plane = new bool[Rows * Columns];
        foreach (var polygon in polygons) PolygonFill.Toggle(polygon, plane, Rows, Columns);
        var picture = string.Join('\n', plane.Chunk(Columns).Select(row => string.Concat(row.Select(pixel => pixel ? '#' : '.'))));
        Assert.Equal(expected.ReplaceLineEndings("\n"), picture);
    }
}

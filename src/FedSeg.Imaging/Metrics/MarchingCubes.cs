using System.Numerics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// How much surface lies in a cell whose corners are partly inside a mask, worked out from the geometry. The surface meets each edge
/// between an inside and an outside corner in its middle; on each side of the cube every run of neighbouring inside corners is cut off by
/// a line; the lines join to polygons. Lorensen and Cline, "Marching Cubes", SIGGRAPH 1987, whose tables DeepMind's surface-distance
/// follows: of a code and its complement, the one with fewer corners inside is drawn (so that touching corners stay apart), and a polygon
/// that is not flat is cut into triangles so that their area is the largest on a cube of edge 1.
/// </summary>
internal static class MarchingCubes
{
    // Bits of a corner's number.
    private static readonly int[] Axes = [1, 2, 4];

    /// <summary>Areas, mm², by code: bit 4z + 2y + x says whether that corner is inside. 256 entries; 0 for none and all inside.</summary>
    public static double[] AreasMm2(Vector3D spacingMm) => [.. Enumerable.Range(0, 256).Select(code => AreaMm2(code, spacingMm))];

    /// <summary>Lengths, mm, in a square of four corners, by code: bit 2y + x. 16 entries.</summary>
    public static double[] LengthsMm(Vector3D spacingMm) =>
        [.. Enumerable.Range(0, 16).Select(code => LinesOn([0, 1, 3, 2], code).Sum(line => Scale(line.To - line.From, spacingMm).Length))];

    private static double AreaMm2(int code, Vector3D spacingMm)
    {
        var minority = BitOperations.PopCount((uint)code) > 4 ? ~code & 0xFF : code;
        return PolygonsOf(minority).Sum(polygon => LargestArea(polygon, spacingMm).Mm2);
    }

    /// <summary>
    /// The lines of all six sides, joined end to end: each line's end is the end of exactly one line of a neighbouring side.
    /// </summary>
    private static IEnumerable<Vector3D[]> PolygonsOf(int code)
    {
        var lines = Axes.SelectMany(axis => new[] { 0, axis }.SelectMany(side => LinesOn(Side(axis, side), code))).ToArray();
        var ends = lines.SelectMany(line => new[] { line, (From: line.To, To: line.From) }).ToLookup(line => line.From, line => line.To);
        var open = ends.Select(end => end.Key).ToHashSet();
        while (open.Count > 0)
        {
            var start = open.First();
            var polygon = new List<Vector3D> { start };
            for (var next = ends[start].First(); next != start; next = ends[next].First(end => end != polygon[^2])) polygon.Add(next);
            open.ExceptWith(polygon);
            yield return [.. polygon];
        }
    }

    /// <summary>The corners of one side of the cube in the order around it.</summary>
    private static int[] Side(int axis, int side)
    {
        var (b, c) = axis switch { 1 => (2, 4), 2 => (1, 4), _ => (1, 2) };
        return [side, side + b, side + b + c, side + c];
    }

    private static IEnumerable<(Vector3D From, Vector3D To)> LinesOn(int[] corners, int code)
    {
        bool IsInside(int k) => (code >> corners[k & 3] & 1) == 1;
        for (var first = 0; first < 4; first++)
        {
            if (!IsInside(first) || IsInside(first + 3)) continue;
            var last = first;
            while (IsInside(last + 1)) last++;
            yield return (Middle(corners[first], corners[(first + 3) & 3]), Middle(corners[last & 3], corners[(last + 1) & 3]));
        }
    }

    private static Vector3D Middle(int a, int b) => (Position(a) + Position(b)) * 0.5;

    private static Vector3D Position(int corner) => new(X: corner & 1, Y: corner >> 1 & 1, Z: corner >> 2);

    /// <summary>
    /// Of all ways to cut the polygon into triangles, the one of largest area on the cube of edge 1, with its area in mm².
    /// </summary>
    private static (double OfUnitCube, double Mm2) LargestArea(ReadOnlySpan<Vector3D> polygon, Vector3D spacingMm)
    {
        if (polygon.Length < 3) return (0, 0);
        var largest = (OfUnitCube: 0.0, Mm2: 0.0);
        for (var k = 1; k + 1 < polygon.Length; k++)
        {
            var (before, after) = (LargestArea(polygon[..(k + 1)], spacingMm), LargestArea(polygon[k..], spacingMm));
            var (side, other) = (polygon[k] - polygon[0], polygon[^1] - polygon[0]);
            var area = before.OfUnitCube + after.OfUnitCube + side.Cross(other).Length / 2;
            if (area <= largest.OfUnitCube) continue;
            largest = (area, before.Mm2 + after.Mm2 + Scale(side, spacingMm).Cross(Scale(other, spacingMm)).Length / 2);
        }

        return largest;
    }

    private static Vector3D Scale(Vector3D v, Vector3D factor) => new(v.X * factor.X, v.Y * factor.Y, v.Z * factor.Z);
}

using System.Numerics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Exact Euclidean distances between surfaces that run close to each other, as those of a good segmentation do: from each point it looks at
/// the rows around, from near to far, each with one look at 64 points. What is farther than it looks is left over.
/// </summary>
internal sealed class NearbySearch
{
    private const int RowsAcross = 8, PointsAlong = 32;

    // So many points of a slice may be looked for in vain before the rest of it is left over.
    private const int MostMisses = 64;

    private readonly Offset[] _offsets;
    private readonly double[] _alongMm2 = new double[65];
    private readonly double _limitMm2;

    /// <param name="spacingMm">Distance of the points along each axis.</param>
    public NearbySearch(Vector3D spacingMm)
    {
        Array.Fill(_alongMm2, double.PositiveInfinity);
        for (var steps = 0; steps < PointsAlong; steps++) _alongMm2[steps] = Square(steps * spacingMm.X);
        var limit = Math.Min(PointsAlong * spacingMm.X, RowsAcross * Math.Sqrt(spacingMm.Z * spacingMm.Y));
        _limitMm2 = limit * limit;
        _offsets = Offsets(spacingMm, _limitMm2);
    }

    /// <summary>Searches one slice.</summary>
    /// <param name="from">The surface whose pieces are measured.</param>
    /// <param name="to">The points they are measured to.</param>
    /// <param name="z">The slice.</param>
    /// <param name="far">Gets the points that are left over.</param>
    /// <returns>The weights of the pieces by their squared distance, mm².</returns>
    public Dictionary<double, double> WeightBySquaredDistance(SurfaceMap from, BitGrid to, int z, BitGrid far)
    {
        var found = new double[_offsets.Length * PointsAlong];
        var misses = 0;
        for (var y = 0; y < from.Size.Y; y++)
        {
            var pieces = from.Points.Row(z, y);
            var points = to.Row(z, y);
            var left = far.Words(z, y);
            for (var word = 1; word < pieces.Length - 1; word++)
            {
                if (pieces[word] == 0) continue;
                var start = (word - 1) * 64;
                found[0] += from.WeightOf(pieces[word] & points[word], z, y, start);
                for (var rest = pieces[word] & ~points[word]; rest != 0; rest &= rest - 1)
                {
                    var bit = BitOperations.TrailingZeroCount(rest);
                    var nearest = misses < MostMisses ? Nearest(to, z, y, start + bit) : -1;
                    if (nearest >= 0)
                    {
                        found[nearest] += from.WeightAt(z, y, start + bit);
                        continue;
                    }

                    misses++;
                    left[word] |= 1UL << bit;
                }
            }
        }

        return BySquaredDistance(found);
    }

    /// <summary>Number of the offset and steps along its row: what is below the limit can't be missed. −1 where there is nothing.</summary>
    private int Nearest(BitGrid to, int z, int y, int x)
    {
        var (best, nearest) = (_limitMm2, -1);
        for (var i = 0; i < _offsets.Length; i++)
        {
            var offset = _offsets[i];
            if (offset.SquaredMm >= best) break;
            var steps = BitGrid.StepsToNearest(to.Row(z + offset.Z, y + offset.Y), x);
            var squared = offset.SquaredMm + _alongMm2[steps];
            if (squared < best) (best, nearest) = (squared, i * PointsAlong + steps);
        }

        return nearest;
    }

    private Dictionary<double, double> BySquaredDistance(double[] found)
    {
        var weights = new Dictionary<double, double>();
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i] == 0) continue;
            var squared = _offsets[i / PointsAlong].SquaredMm + _alongMm2[i % PointsAlong];
            weights[squared] = weights.GetValueOrDefault(squared) + found[i];
        }

        return weights;
    }

    /// <summary>The rows around one, from near to far.</summary>
    private static Offset[] Offsets(Vector3D spacingMm, double limitMm2)
    {
        var offsets = new List<Offset>();
        var slices = (int)Math.Ceiling(Math.Sqrt(limitMm2) / spacingMm.Z);
        var rows = (int)Math.Ceiling(Math.Sqrt(limitMm2) / spacingMm.Y);
        for (var z = -slices; z <= slices; z++)
        {
            for (var y = -rows; y <= rows; y++)
            {
                var squared = Square(z * spacingMm.Z) + Square(y * spacingMm.Y);
                if (squared < limitMm2) offsets.Add(new Offset(z, y, squared));
            }
        }

        return [.. offsets.OrderBy(offset => offset.SquaredMm)];
    }

    private static double Square(double mm) => mm * mm;

    private readonly record struct Offset(int Z, int Y, double SquaredMm);
}

using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

/// <summary>Points of a box as a surface, each of weight 1.</summary>
internal sealed class Points : SurfaceMap
{
    private Points(BitGrid points)
        : base(points)
    {
    }

    /// <param name="size">The box.</param>
    /// <param name="points">Places in memory order.</param>
    public static Points Marked(Index3 size, IEnumerable<int> points)
    {
        var grid = new BitGrid(size);
        foreach (var point in points)
        {
            var (row, x) = (point / size.X, point % size.X);
            grid.Words(row / size.Y, row % size.Y)[1 + x / 64] |= 1UL << (x % 64);
        }

        return new Points(grid);
    }

    public static double DistanceMm(int a, int b, Index3 size, Vector3D spacing)
    {
        var plane = size.Y * size.X;
        var dz = (a / plane - b / plane) * spacing.Z;
        var dy = (a / size.X % size.Y - b / size.X % size.Y) * spacing.Y;
        var dx = (a % size.X - b % size.X) * spacing.X;
        return Math.Sqrt(dz * dz + dy * dy + dx * dx);
    }

    public override double WeightAt(int z, int y, int x) => 1;
}

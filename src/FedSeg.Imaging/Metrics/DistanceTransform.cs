using System.Numerics;
using System.Runtime.InteropServices;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Exact Euclidean distances, however far, from some points of a surface to the nearest point of another, by the lower envelope of
/// parabolas along each axis. Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
/// Memory is two bytes a point and a slice of doubles a thread: the first pass, along z, has whole steps for results, and the other two are
/// done slice by slice, only where they are asked for.
/// </summary>
internal sealed class DistanceTransform
{
    private const ushort Unreached = ushort.MaxValue;

    private readonly Index3 size;
    private readonly Vector3D spacingMm;
    private readonly ushort[] steps;

    /// <param name="size">Of the surfaces; fewer than 65 535 slices.</param>
    /// <param name="spacingMm">Distance of their points along each axis.</param>
    public DistanceTransform(Index3 size, Vector3D spacingMm)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(size.Z, Unreached);
        this.size = size;
        this.spacingMm = spacingMm;
        steps = new ushort[checked(size.Z * size.Y * size.X)];
    }

    /// <summary>
    /// The weights of pieces of a surface by their squared distance, mm², slice by slice; infinite where there is no point.
    /// </summary>
    /// <param name="pieces">Which pieces.</param>
    /// <param name="from">Their surface.</param>
    /// <param name="to">The points they are measured to.</param>
    public IEnumerable<Dictionary<double, double>> WeightBySquaredDistance(BitGrid pieces, SurfaceMap from, BitGrid to)
    {
        CountSteps(to);
        var slices = new Dictionary<double, double>?[size.Z];
        Parallel.For(0, size.Z, () => new SliceTransform(size, spacingMm), (z, _, transform) =>
        {
            if (pieces.Slice(z).ContainsAnyExcept(0UL)) slices[z] = transform.WeightBySquaredDistance(steps, z, pieces, from);
            return transform;
        }, _ => { });
        return slices.OfType<Dictionary<double, double>>();
    }

    /// <summary>The first pass: slices up or down to the next piece of surface.</summary>
    private void CountSteps(BitGrid surface) => Parallel.For(0, size.Y, y =>
    {
        for (var z = 0; z < size.Z; z++) CountStepsUp(surface, z, y);
        for (var z = size.Z - 2; z >= 0; z--) CountStepsDown(z, y);
    });

    private void CountStepsUp(BitGrid surface, int z, int y)
    {
        var points = surface.Row(z, y);
        var row = Steps(z, y);
        if (z == 0)
        {
            for (var x = 0; x < row.Length; x++) row[x] = BitGrid.IsSet(points, x) ? (ushort)0 : Unreached;
            return;
        }

        var below = Steps(z - 1, y);
        for (var x = 0; x < row.Length; x++) row[x] = BitGrid.IsSet(points, x) ? (ushort)0 : StepOn(below[x]);
    }

    private void CountStepsDown(int z, int y)
    {
        var row = Steps(z, y);
        var above = Steps(z + 1, y);
        for (var x = 0; x < row.Length; x++) row[x] = Math.Min(row[x], StepOn(above[x]));
    }

    private Span<ushort> Steps(int z, int y) => steps.AsSpan((z * size.Y + y) * size.X, size.X);

    private static ushort StepOn(ushort steps) => steps == Unreached ? Unreached : (ushort)(steps + 1);

    /// <summary>The passes within a slice, and one thread's working memory for them.</summary>
    private sealed class SliceTransform(Index3 size, Vector3D spacingMm)
    {
        // Below this share of a row, looking outward from each piece is quicker than the envelope of the whole row.
        private const int FewPieces = 16;

        private readonly double[] squared = new double[size.Y * size.X];
        private readonly LowerEnvelope alongColumns = new(size.Y, spacingMm.Y);
        private readonly LowerEnvelope alongRows = new(size.X, spacingMm.X);

        /// <summary>The weights of a slice's pieces, summed by their squared distance, mm².</summary>
        public Dictionary<double, double> WeightBySquaredDistance(ushort[] steps, int z, BitGrid pieces, SurfaceMap from)
        {
            var slice = steps.AsSpan(z * squared.Length, squared.Length);
            for (var i = 0; i < squared.Length; i++) squared[i] = SquaredMm(slice[i]);
            alongColumns.Transform(squared, size.X);

            var weights = new Dictionary<double, double>();
            for (var y = 0; y < size.Y; y++)
            {
                var row = squared.AsSpan(y * size.X, size.X);
                var set = pieces.Row(z, y);
                var count = 0;
                foreach (var word in set) count += BitOperations.PopCount(word);
                if (count == 0) continue;
                var lookOutward = count * FewPieces < size.X;
                if (!lookOutward) alongRows.Transform(row);
                for (var x = 0; x < row.Length; x++)
                {
                    if (!BitGrid.IsSet(set, x)) continue;
                    var nearest = lookOutward ? LookOutward(row, x) : row[x];
                    CollectionsMarshal.GetValueRefOrAddDefault(weights, nearest, out _) += from.WeightAt(z, y, x);
                }
            }

            return weights;
        }

        /// <summary>What the last pass would give at one place: ends where the row itself is farther than the best so far.</summary>
        private double LookOutward(ReadOnlySpan<double> row, int x)
        {
            var best = row[x];
            for (var away = 1; away < row.Length; away++)
            {
                var along = away * spacingMm.X * (away * spacingMm.X);
                if (along >= best) break;
                if (x >= away) best = Math.Min(best, along + row[x - away]);
                if (x + away < row.Length) best = Math.Min(best, along + row[x + away]);
            }

            return best;
        }

        private double SquaredMm(ushort steps) => steps == Unreached ? double.PositiveInfinity : steps * spacingMm.Z * (steps * spacingMm.Z);
    }
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Exact squared Euclidean distance (mm²) of every voxel of a box to the nearest marked one, by the lower envelope of parabolas along each
/// axis. Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
/// </summary>
internal sealed class DistanceTransform
{
    // Neighbouring lines worked on together, so that strided reads use whole cache lines.
    private const int Lanes = 16;

    private readonly Index3 size;
    private readonly Vector3D spacingMm;
    private readonly double[] squared;

    public DistanceTransform(Index3 size, Vector3D spacingMm)
    {
        this.size = size;
        this.spacingMm = spacingMm;
        squared = new double[checked(size.Z * size.Y * size.X)];
    }

    /// <param name="marked">Indices in memory order <c>[z, y, x]</c>.</param>
    /// <returns>mm², infinite everywhere when nothing is marked; valid until the next call, which uses the same buffer.</returns>
    public ReadOnlySpan<double> Squared(int[] marked)
    {
        Array.Fill(squared, double.PositiveInfinity);
        foreach (var index in marked) squared[index] = 0;
        var plane = size.Y * size.X;
        Parallel.For(0, size.Z, () => new Envelopes(size.Y, spacingMm.Y), (z, _, columns) =>
        {
            // While a slice is in the cache: along its rows, then down its columns.
            for (var y = 0; y < size.Y; y++) AlongRow(squared.AsSpan(z * plane + y * size.X, size.X), spacingMm.X);
            for (var x = 0; x < size.X; x += Lanes) columns.Transform(squared, z * plane + x, Math.Min(Lanes, size.X - x), size.X);
            return columns;
        }, _ => { });
        Parallel.For(0, (plane + Lanes - 1) / Lanes, () => new Envelopes(size.Z, spacingMm.Z), (block, _, depths) =>
        {
            depths.Transform(squared, block * Lanes, Math.Min(Lanes, plane - block * Lanes), plane);
            return depths;
        }, _ => { });
        return squared;
    }

    /// <summary>The first pass, in which values are 0 or infinite: whole steps to the last mark, then to the next one.</summary>
    private static void AlongRow(Span<double> row, double step)
    {
        var mark = row.IndexOf(0);
        if (mark < 0) return;
        for (var x = 0; x < mark; x++) row[x] = Square((mark - x) * step);
        while (mark < row.Length)
        {
            var gap = row[(mark + 1)..].IndexOf(0);
            var next = gap < 0 ? int.MaxValue : mark + 1 + gap;
            for (var x = mark + 1; x < Math.Min(next, row.Length); x++) row[x] = Square(Math.Min(x - mark, next - x) * step);
            mark = next;
        }
    }

    private static double Square(double value) => value * value;

    /// <summary>Lower envelopes of the parabolas on neighbouring lines, and one thread's working memory for them.</summary>
    private sealed class Envelopes(int length, double step)
    {
        private readonly double inverseSquaredStep = 1 / (step * step);
        private readonly double[] tile = new double[length * Lanes];
        private readonly double[] height = new double[length];
        private readonly int[] vertex = new int[length];
        private readonly double[] from = new double[length];

        /// <summary>Element q of line k is at <paramref name="start"/> + q · <paramref name="stride"/> + k.</summary>
        public void Transform(double[] values, int start, int lines, int stride)
        {
            if (length == 1) return;
            for (var q = 0; q < length; q++)
            {
                var row = values.AsSpan(start + q * stride, lines);
                for (var lane = 0; lane < lines; lane++) tile[lane * length + q] = row[lane];
            }

            for (var lane = 0; lane < lines; lane++) Transform(tile.AsSpan(lane * length, length));
            for (var q = 0; q < length; q++)
            {
                var row = values.AsSpan(start + q * stride, lines);
                for (var lane = 0; lane < lines; lane++) row[lane] = tile[lane * length + q];
            }
        }

        private void Transform(Span<double> line)
        {
            var count = Build(line);
            if (count == 0) return;
            var k = 0;
            for (var q = 0; q < line.Length; q++)
            {
                while (k + 1 < count && from[k + 1] < q) k++;
                var d = (q - vertex[k]) * step;
                line[q] = d * d + height[k];
            }
        }

        private int Build(ReadOnlySpan<double> line)
        {
            var count = 0;
            for (var q = 0; q < line.Length; q++)
            {
                if (double.IsPositiveInfinity(line[q])) continue;
                var meets = double.NegativeInfinity;
                while (count > 0)
                {
                    var p = vertex[count - 1];
                    meets = ((line[q] - height[count - 1]) * inverseSquaredStep / (q - p) + (q + p)) / 2;
                    if (meets > from[count - 1]) break;
                    count--;
                    meets = double.NegativeInfinity;
                }

                (vertex[count], height[count], from[count]) = (q, line[q], meets);
                count++;
            }

            return count;
        }
    }
}

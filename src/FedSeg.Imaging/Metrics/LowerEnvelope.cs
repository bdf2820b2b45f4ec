namespace FedSeg.Imaging.Metrics;

/// <summary>The lower envelope of the parabolas that stand on the samples of a line, and working memory for it; one thread's own.</summary>
/// <param name="length">Samples of a line.</param>
/// <param name="step">Distance of neighbouring samples, mm.</param>
internal sealed class LowerEnvelope(int length, double step)
{
    // Neighbouring columns worked on together, so that strided reads use whole cache lines.
    private const int Lanes = 16;

    private readonly double inverseSquaredStep = 1 / (step * step);
    private readonly double[] tile = new double[length * Lanes];
    private readonly double[] height = new double[length];
    private readonly int[] vertex = new int[length];
    private readonly double[] from = new double[length];

    /// <summary>
    /// Replaces each sample, mm², by the smallest of all samples plus the squared distance to where they stand, along every column.
    /// </summary>
    /// <param name="plane">Columns side by side: sample q of column x at q · <paramref name="columns"/> + x.</param>
    public void Transform(Span<double> plane, int columns)
    {
        if (length == 1) return;
        for (var start = 0; start < columns; start += Lanes)
        {
            var lanes = Math.Min(Lanes, columns - start);
            for (var q = 0; q < length; q++)
            {
                var row = plane.Slice(q * columns + start, lanes);
                for (var lane = 0; lane < lanes; lane++) tile[lane * length + q] = row[lane];
            }

            for (var lane = 0; lane < lanes; lane++) Transform(tile.AsSpan(lane * length, length));
            for (var q = 0; q < length; q++)
            {
                var row = plane.Slice(q * columns + start, lanes);
                for (var lane = 0; lane < lanes; lane++) row[lane] = tile[lane * length + q];
            }
        }
    }

    /// <summary>As along every column, along one line.</summary>
    public void Transform(Span<double> line)
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

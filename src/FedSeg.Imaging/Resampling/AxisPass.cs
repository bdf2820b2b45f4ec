namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Resamples every line along one axis of a buffer. Lines are independent and each is computed in double in a fixed order, so the
/// result is the same bits for any number of threads.
/// </summary>
internal static class AxisPass
{
    // Lines worked on together: neighbours in memory when the axis is not the contiguous one.
    private const int Lanes = 16;

    /// <param name="values">[<paramref name="outer"/>, taps.From, <paramref name="inner"/>].</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="inner">Product of the sizes after the axis.</param>
    /// <param name="taps">What each new voxel is made from.</param>
    /// <param name="threads">How many threads may work.</param>
    /// <returns>[<paramref name="outer"/>, taps.To, <paramref name="inner"/>], a buffer of its own.</returns>
    public static float[] Run(float[] values, int outer, int inner, AxisTaps taps, ParallelOptions threads)
    {
        var resampled = new float[checked(outer * taps.To * inner)];
        var lines = outer * inner;
        Parallel.For(
            0,
            (lines + Lanes - 1) / Lanes,
            threads,
            () => new double[(taps.From + 2 * CubicSpline.Margin) * Lanes],
            (batch, _, buffer) =>
            {
                ResampleBatch(values, resampled, batch * Lanes, Math.Min(Lanes, lines - batch * Lanes), inner, taps, buffer);
                return buffer;
            },
            _ => { });
        return resampled;
    }

    private static void ResampleBatch(float[] values, float[] resampled, int firstLine, int lanes, int inner, AxisTaps taps, double[] buffer)
    {
        Span<int> starts = stackalloc int[lanes];
        Span<int> resampledStarts = stackalloc int[lanes];
        for (var lane = 0; lane < lanes; lane++)
        {
            var (slab, column) = Math.DivRem(firstLine + lane, inner);
            starts[lane] = slab * taps.From * inner + column;
            resampledStarts[lane] = slab * taps.To * inner + column;
        }

        for (var i = 0; i < taps.From; i++)
        {
            var row = buffer.AsSpan((i + CubicSpline.Margin) * lanes, lanes);
            for (var lane = 0; lane < lanes; lane++) row[lane] = values[starts[lane] + i * inner];
        }

        if (taps.OfSplineCoefficients) CubicSpline.ToCoefficients(buffer, taps.From, lanes);

        Span<double> sums = stackalloc double[lanes];
        for (var i = 0; i < taps.To; i++)
        {
            sums.Clear();
            for (var tap = i * taps.Count; tap < (i + 1) * taps.Count; tap++)
            {
                var row = buffer.AsSpan((taps.Rows[tap] + CubicSpline.Margin) * lanes, lanes);
                var weight = taps.Weights[tap];
                for (var lane = 0; lane < lanes; lane++) sums[lane] += weight * row[lane];
            }

            for (var lane = 0; lane < lanes; lane++) resampled[resampledStarts[lane] + i * inner] = (float)sums[lane];
        }
    }
}

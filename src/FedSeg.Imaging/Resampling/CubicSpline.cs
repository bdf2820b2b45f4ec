namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Interpolating cubic B-spline along one line, edge values repeated outside (scipy.ndimage order 3, mode "nearest", prefiltered).
/// Prefilter: Unser, "Splines: a perfect fit for signal and image processing", IEEE SP Magazine 16(6), 1999, box 2.
/// </summary>
internal sealed class CubicSpline
{
    // Beyond twelve repeated samples the edge's influence is below 2e-7 of the value (pole^12).
    private const int Padding = 12;
    private static readonly double Pole = Math.Sqrt(3) - 2;

    private readonly int length;
    private readonly int[] first;
    private readonly double[] weights;

    public CubicSpline(int from, int to)
    {
        length = from;
        first = new int[to];
        weights = new double[4 * to];
        for (var i = 0; i < to; i++)
        {
            var at = AxisTaps.Position(i, from, to);
            var floor = Math.Floor(at);
            var t = at - floor;
            first[i] = (int)floor - 1 + Padding;
            weights[4 * i] = (1 - t) * (1 - t) * (1 - t) / 6;
            weights[4 * i + 1] = (4 - 6 * t * t + 3 * t * t * t) / 6;
            weights[4 * i + 2] = (1 + 3 * t + 3 * t * t - 3 * t * t * t) / 6;
            weights[4 * i + 3] = t * t * t / 6;
        }
    }

    /// <summary>Doubles of working memory that <see cref="Resample"/> needs.</summary>
    public int ScratchLength => length + 2 * Padding;

    /// <summary>Resamples one line: element k of the input is at <paramref name="start"/> + k · <paramref name="stride"/>.</summary>
    public void Resample(ReadOnlySpan<float> from, int start, int stride, Span<float> to, int toStart, int toStride, Span<double> scratch)
    {
        for (var k = 0; k < scratch.Length; k++)
        {
            scratch[k] = from[start + Math.Clamp(k - Padding, 0, length - 1) * stride];
        }

        Prefilter(scratch);
        for (var i = 0; i < first.Length; i++)
        {
            var c = scratch.Slice(first[i], 4);
            var w = weights.AsSpan(4 * i, 4);
            to[toStart + i * toStride] = (float)(w[0] * c[0] + w[1] * c[1] + w[2] * c[2] + w[3] * c[3]);
        }
    }

    private static void Prefilter(Span<double> c)
    {
        const double Gain = 6;
        // Repeated edge values make the causal and anticausal starts those of a constant signal.
        c[0] = Gain * c[0] / (1 - Pole);
        for (var k = 1; k < c.Length; k++)
        {
            c[k] = Gain * c[k] + Pole * c[k - 1];
        }

        c[^1] = -Pole / (1 - Pole) * c[^1];
        for (var k = c.Length - 2; k >= 0; k--)
        {
            c[k] = Pole * (c[k + 1] - c[k]);
        }
    }
}

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// For each voxel of one axis after resampling, the voxels it is made from and their weights. Both ends of the axis stay in place: the
/// centre of new voxel i lies at (i + 0.5)·from/to − 0.5 of the old axis (scikit-image's <c>resize</c>, SciPy's <c>zoom</c> with <c>grid_mode</c>).
/// Places are computed in whole numbers, so a tie never falls by a rounding.
/// </summary>
internal sealed class AxisTaps
{
    private AxisTaps(int from, int to, int count)
    {
        From = from;
        To = to;
        Count = count;
        Rows = new int[checked(to * count)];
        Weights = new double[to * count];
    }

    /// <summary>Voxels along the axis before resampling.</summary>
    public int From { get; }

    /// <summary>Voxels along the axis after resampling.</summary>
    public int To { get; }

    /// <summary>Taps a voxel: 1 (nearest), 2 (linear) or 4 (cubic).</summary>
    public int Count { get; }

    /// <summary>True where the taps weigh B-spline coefficients (see <see cref="CubicSpline"/>) and not the voxels themselves.</summary>
    public bool OfSplineCoefficients => Count == 4;

    /// <summary>Old index of tap t of new voxel i at [i·<see cref="Count"/> + t]; cubic ones reach up to two beyond either end.</summary>
    public int[] Rows { get; }

    /// <summary>Weight of each tap, in the order of <see cref="Rows"/>; the weights of one voxel sum to 1.</summary>
    public double[] Weights { get; }

    /// <summary>The nearest old voxel; halfway between two, the upper one.</summary>
    public static AxisTaps Nearest(int from, int to)
    {
        var taps = new AxisTaps(from, to, 1);
        for (var i = 0; i < to; i++)
        {
            taps.Rows[i] = (int)((2L * i + 1) * from / (2L * to));
            taps.Weights[i] = 1;
        }

        return taps;
    }

    /// <summary>Linear between the two neighbours; constant beyond the outermost voxel centres.</summary>
    public static AxisTaps Linear(int from, int to)
    {
        var taps = new AxisTaps(from, to, 2);
        for (var i = 0; i < to; i++)
        {
            var (lower, fraction) = Place(i, from, to);
            taps.Rows[2 * i] = Math.Max(lower, 0);
            taps.Rows[2 * i + 1] = Math.Min(lower + 1, from - 1);
            taps.Weights[2 * i] = 1 - fraction;
            taps.Weights[2 * i + 1] = fraction;
        }

        return taps;
    }

    /// <summary>The cubic B-spline basis around the new centre.</summary>
    public static AxisTaps Cubic(int from, int to)
    {
        var taps = new AxisTaps(from, to, 4);
        for (var i = 0; i < to; i++)
        {
            var (lower, f) = Place(i, from, to);
            for (var t = 0; t < 4; t++) taps.Rows[4 * i + t] = lower - 1 + t;
            CubicSpline.Weights(f, taps.Weights.AsSpan(4 * i, 4));
        }

        return taps;
    }

    /// <summary>The old voxel at or below the centre of new voxel <paramref name="i"/> (−1 at the least), and how far beyond it in [0, 1).</summary>
    private static (int Lower, double Fraction) Place(int i, int from, int to)
    {
        // One voxel is added before the division so that it never rounds a negative number.
        var numerator = (2L * i + 1) * from - to + 2L * to;
        var lower = numerator / (2L * to);
        return ((int)lower - 1, (numerator - lower * 2L * to) / (2.0 * to));
    }
}

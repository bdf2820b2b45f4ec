namespace FedSeg.Imaging.Resampling;

/// <summary>How values between samples are found along one axis.</summary>
internal enum Interpolation
{
    Nearest,
    Linear,
    Cubic,
}

/// <summary>
/// Where each output index of an axis falls between its input samples. The two axes cover the same extent from voxel edge to voxel edge,
/// so output i lies at (i + ½) · from / to − ½ (skimage.transform.resize; scipy.ndimage.zoom with grid_mode).
/// </summary>
internal sealed class AxisTaps
{
    public AxisTaps(int from, int to, bool nearest)
    {
        First = new int[to];
        Second = new int[to];
        Fraction = new double[to];
        for (var i = 0; i < to; i++)
        {
            if (nearest)
            {
                // (i + ½) · from / to rounded down, in whole numbers: halfway between two samples is always the upper one.
                First[i] = Second[i] = (int)((2L * i + 1) * from / (2L * to));
                continue;
            }

            var at = Position(i, from, to);
            var floor = (int)Math.Floor(at);
            First[i] = Math.Clamp(floor, 0, from - 1);
            Second[i] = Math.Clamp(floor + 1, 0, from - 1);
            Fraction[i] = at - floor;
        }
    }

    /// <summary>Input index at or below each output index, held to the axis.</summary>
    public int[] First { get; }

    /// <summary>Input index above each output index, held to the axis; that of <see cref="First"/> for the nearest sample.</summary>
    public int[] Second { get; }

    /// <summary>Weight of <see cref="Second"/>; the rest is that of <see cref="First"/>.</summary>
    public double[] Fraction { get; }

    /// <summary>Where the centre of output voxel <paramref name="index"/> lies among the input's voxel centres.</summary>
    public static double Position(int index, int from, int to) => (index + 0.5) * ((double)from / to) - 0.5;
}

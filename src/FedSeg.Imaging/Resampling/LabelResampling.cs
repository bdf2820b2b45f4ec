using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>Label maps at another size: linear weights of the eight neighbours are summed by class, and the heaviest class wins.</summary>
internal static class LabelResampling
{
    // Weights such as 1/3 are not exact; classes this close are tied, and the lower number wins, whichever way the axes run.
    private const double Tie = 1e-9;

    /// <param name="labels">The label map.</param>
    /// <param name="to">Voxels wanted along z, y, x.</param>
    /// <param name="coarseAxis">The axis along which the nearest plane is taken, or null.</param>
    public static LabelVolume Run(LabelVolume labels, int[] to, int? coarseAxis)
    {
        var from = ResampledGrid.SizesZyx(labels.Grid.Size);
        var taps = new AxisTaps[3];
        for (var axis = 0; axis < 3; axis++)
        {
            taps[axis] = axis == coarseAxis || to[axis] == from[axis] ? AxisTaps.Nearest(from[axis], to[axis]) : AxisTaps.Linear(from[axis], to[axis]);
        }

        var resampled = new byte[checked(to[0] * to[1] * to[2])];
        Parallel.For(0, to[0] * to[1], line =>
        {
            var (z, y) = Math.DivRem(line, to[1]);
            FillLine(labels, taps, z, y, resampled.AsSpan(line * to[2], to[2]));
        });
        return new LabelVolume(ResampledGrid.OfSize(labels.Grid, to), resampled);
    }

    private static void FillLine(LabelVolume labels, AxisTaps[] taps, int z, int y, Span<byte> line)
    {
        var (rows, columns) = (labels.Grid.Size.Y, labels.Grid.Size.X);
        Span<byte> classes = stackalloc byte[8];
        Span<double> weights = stackalloc double[8];
        for (var x = 0; x < line.Length; x++)
        {
            var found = 0;
            for (var tz = z * taps[0].Count; tz < (z + 1) * taps[0].Count; tz++)
            {
                for (var ty = y * taps[1].Count; ty < (y + 1) * taps[1].Count; ty++)
                {
                    var start = (taps[0].Rows[tz] * rows + taps[1].Rows[ty]) * columns;
                    for (var tx = x * taps[2].Count; tx < (x + 1) * taps[2].Count; tx++)
                    {
                        var label = labels.Labels[start + taps[2].Rows[tx]];
                        var at = classes[..found].IndexOf(label);
                        if (at < 0)
                        {
                            at = found++;
                            (classes[at], weights[at]) = (label, 0);
                        }

                        weights[at] += taps[0].Weights[tz] * taps[1].Weights[ty] * taps[2].Weights[tx];
                    }
                }
            }

            line[x] = Heaviest(classes[..found], weights[..found]);
        }
    }

    private static byte Heaviest(ReadOnlySpan<byte> classes, ReadOnlySpan<double> weights)
    {
        var best = 0;
        for (var i = 1; i < classes.Length; i++)
        {
            var lead = weights[i] - weights[best];
            if (lead > Tie || (lead >= -Tie && classes[i] < classes[best])) best = i;
        }

        return classes[best];
    }
}

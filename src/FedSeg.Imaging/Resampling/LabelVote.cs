using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Linear resampling of every label's one-hot map at once: the up to eight neighbours vote with their trilinear weights, a label with more
/// than half the weight wins, and where none has, the voxel is background.
/// </summary>
internal static class LabelVote
{
    // Weights of equal neighbours sum to 0.5 up to rounding; a tie is not a majority.
    private const double Majority = 0.5 + 1e-9;

    public static byte[] Resample(LabelVolume labels, GridGeometry to, int maxThreads)
    {
        var (from, size) = (labels.Grid.Size, to.Size);
        var separate = SeparateAxis.Of(labels.Grid.SpacingMm, to.SpacingMm);
        var zs = new AxisTaps(from.Z, size.Z, separate == 0);
        var ys = new AxisTaps(from.Y, size.Y, separate == 1);
        var xs = new AxisTaps(from.X, size.X, separate == 2);
        var source = labels.Labels;
        var result = new byte[to.VoxelCount];
        Parallel.For(0, size.Z, new ParallelOptions { MaxDegreeOfParallelism = maxThreads }, z =>
        {
            Span<byte> neighbours = stackalloc byte[8];
            Span<double> weights = stackalloc double[8];
            int[] slices = [zs.First[z] * from.Y, zs.Second[z] * from.Y];
            var target = z * size.Y * size.X;
            for (var y = 0; y < size.Y; y++)
            for (var x = 0; x < size.X; x++, target++)
            {
                var uniform = true;
                for (var n = 0; n < 8; n++)
                {
                    var row = slices[n >> 2] + ((n & 2) == 0 ? ys.First[y] : ys.Second[y]);
                    neighbours[n] = source[row * from.X + ((n & 1) == 0 ? xs.First[x] : xs.Second[x])];
                    uniform &= neighbours[n] == neighbours[0];
                    weights[n] = Weight(n >> 2, zs.Fraction[z]) * Weight((n >> 1) & 1, ys.Fraction[y]) * Weight(n & 1, xs.Fraction[x]);
                }

                result[target] = uniform ? neighbours[0] : Winner(neighbours, weights);
            }
        });
        return result;
    }

    private static double Weight(int second, double fraction) => second == 1 ? fraction : 1 - fraction;

    private static byte Winner(ReadOnlySpan<byte> neighbours, ReadOnlySpan<double> weights)
    {
        for (var n = 0; n < neighbours.Length; n++)
        {
            double votes = 0;
            for (var m = 0; m < neighbours.Length; m++)
            {
                if (neighbours[m] == neighbours[n]) votes += weights[m];
            }

            if (votes > Majority) return neighbours[n];
        }

        return 0;
    }
}

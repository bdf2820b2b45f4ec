using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Metrics;

/// <summary>
/// Exact squared Euclidean distance (mm²) of every voxel to the nearest marked one, by the lower envelope of parabolas along each axis.
/// Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
/// </summary>
internal static class DistanceTransform
{
    /// <returns>mm², infinite everywhere when nothing is marked.</returns>
    public static double[] Squared(bool[] marked, Index3 size, Vector3D spacingMm)
    {
        var distances = Array.ConvertAll(marked, m => m ? 0 : double.PositiveInfinity);
        AlongAxis(distances, size.X, 1, spacingMm.X);
        AlongAxis(distances, size.Y, size.X, spacingMm.Y);
        AlongAxis(distances, size.Z, size.X * size.Y, spacingMm.Z);
        return distances;
    }

    private static void AlongAxis(double[] values, int length, int stride, double step)
    {
        if (length == 1) return;
        Parallel.For(0, values.Length / length / stride, outer =>
        {
            var height = new double[length];
            var vertex = new int[length];
            var from = new double[length];
            for (var line = 0; line < stride; line++)
            {
                Line(values, outer * length * stride + line, stride, step, height, vertex, from);
            }
        });
    }

    private static void Line(double[] values, int start, int stride, double step, double[] height, int[] vertex, double[] from)
    {
        var count = 0;
        for (var q = 0; q < height.Length; q++)
        {
            height[q] = values[start + q * stride];
            if (double.IsInfinity(height[q])) continue;
            var meets = double.NegativeInfinity;
            while (count > 0)
            {
                var p = vertex[count - 1];
                meets = ((height[q] - height[p]) / (step * step) + (double)q * q - (double)p * p) / (2.0 * (q - p));
                if (meets > from[count - 1]) break;
                count--;
                meets = double.NegativeInfinity;
            }

            vertex[count] = q;
            from[count++] = meets;
        }

        if (count == 0) return;
        var k = 0;
        for (var q = 0; q < height.Length; q++)
        {
            while (k + 1 < count && from[k + 1] < q) k++;
            var d = (q - vertex[k]) * step;
            values[start + q * stride] = d * d + height[vertex[k]];
        }
    }
}

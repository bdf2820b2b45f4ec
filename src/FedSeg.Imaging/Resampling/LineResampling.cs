using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Separable resampling of a scalar grid, one axis after the other, every line on its own (so threads cannot change the result).
/// </summary>
internal static class LineResampling
{
    public static float[] Resample(float[] voxels, GridGeometry from, GridGeometry to, Interpolation order, int maxThreads)
    {
        int[] size = [from.Size.Z, from.Size.Y, from.Size.X];
        int[] target = [to.Size.Z, to.Size.Y, to.Size.X];
        var separate = SeparateAxis.Of(from.SpacingMm, to.SpacingMm);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = maxThreads };
        var current = voxels;
        for (var axis = 0; axis < 3; axis++)
        {
            if (axis == separate || size[axis] == target[axis]) continue;
            current = AlongAxis(current, size, axis, target[axis], order, parallel);
            size[axis] = target[axis];
        }

        if (order == Interpolation.Cubic && !ReferenceEquals(current, voxels))
        {
            int[] before = [from.Size.Z, from.Size.Y, from.Size.X];
            PlaneRanges.Of(voxels, before, separate).Clip(current, size);
        }

        return separate is { } thick && size[thick] != target[thick]
            ? AlongAxis(current, size, thick, target[thick], Interpolation.Nearest, parallel)
            : current;
    }

    private static float[] AlongAxis(float[] from, int[] size, int axis, int count, Interpolation order, ParallelOptions parallel)
    {
        var length = size[axis];
        var inner = InnerVoxels(size, axis);
        var outer = from.Length / inner / length;
        var to = new float[checked(outer * count * inner)];
        var spline = order == Interpolation.Cubic ? new CubicSpline(length, count) : null;
        var taps = new AxisTaps(length, count, order == Interpolation.Nearest);

        // A block is one outer index and a run of neighbouring lines, so that strided reads share cache lines.
        const int Run = 64;
        var runs = (inner + Run - 1) / Run;
        Parallel.For(0, outer * runs, parallel, block =>
        {
            var (slab, firstLine) = (block / runs, block % runs * Run);
            var scratch = spline is null ? [] : new double[spline.ScratchLength];
            for (var line = firstLine; line < Math.Min(inner, firstLine + Run); line++)
            {
                var (start, toStart) = (slab * length * inner + line, slab * count * inner + line);
                if (spline is null)
                    Blend(from, start, to, toStart, inner, taps);
                else
                    spline.Resample(from, start, inner, to, toStart, inner, scratch);
            }
        });
        return to;
    }

    private static void Blend(float[] from, int start, float[] to, int toStart, int stride, AxisTaps taps)
    {
        for (var i = 0; i < taps.First.Length; i++)
        {
            double first = from[start + taps.First[i] * stride];
            double second = from[start + taps.Second[i] * stride];
            to[toStart + i * stride] = (float)(first + (second - first) * taps.Fraction[i]);
        }
    }

    /// <summary>Voxels in a row in memory that share an index of <paramref name="axis"/>.</summary>
    private static int InnerVoxels(int[] size, int axis) => axis switch { 0 => size[1] * size[2], 1 => size[2], _ => 1 };
}

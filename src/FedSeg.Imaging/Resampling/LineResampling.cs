using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>Separable resampling of a scalar grid, one axis after the other, every line on its own (so threads cannot change the result).</summary>
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
            ClipToRange(voxels, from.Size, current, size, separate);
        }

        return separate is { } thick && size[thick] != target[thick]
            ? AlongAxis(current, size, thick, target[thick], Interpolation.Nearest, parallel)
            : current;
    }

    private static float[] AlongAxis(float[] from, int[] size, int axis, int count, Interpolation order, ParallelOptions parallel)
    {
        var inner = axis == 2 ? 1 : axis == 1 ? size[2] : size[1] * size[2];
        var outer = from.Length / inner / size[axis];
        var length = size[axis];
        var to = new float[checked(outer * count * inner)];
        var spline = order == Interpolation.Cubic ? new CubicSpline(length, count) : null;
        var taps = new AxisTaps(length, count, order == Interpolation.Nearest);

        // A block is one outer index and a run of neighbouring lines, so that strided reads share cache lines.
        const int Run = 64;
        var runs = (inner + Run - 1) / Run;
        Parallel.For(0, outer * runs, parallel, block =>
        {
            var (o, firstLine) = (block / runs, block % runs * Run);
            var scratch = spline is null ? [] : new double[spline.ScratchLength];
            for (var line = firstLine; line < Math.Min(inner, firstLine + Run); line++)
            {
                var (start, toStart) = (o * length * inner + line, o * count * inner + line);
                if (spline is not null)
                {
                    spline.Resample(from, start, inner, to, toStart, inner, scratch);
                    continue;
                }

                for (var i = 0; i < count; i++)
                {
                    double a = from[start + taps.First[i] * inner], b = from[start + taps.Second[i] * inner];
                    to[toStart + i * inner] = (float)(a + (b - a) * taps.Fraction[i]);
                }
            }
        });
        return to;
    }

    /// <summary>A cubic overshoots at edges: values are held to the input's range, of the whole volume or of each plane resampled alone.</summary>
    private static void ClipToRange(float[] input, Index3 inputSize, float[] output, int[] size, int? separate)
    {
        int[] from = [inputSize.Z, inputSize.Y, inputSize.X];
        var planes = separate is { } axis ? size[axis] : 1;
        var min = new float[planes];
        var max = new float[planes];
        Array.Fill(min, float.PositiveInfinity);
        Array.Fill(max, float.NegativeInfinity);
        var inputPlane = PlaneStride(from, separate);
        for (var i = 0; i < input.Length; i++)
        {
            var p = i / inputPlane % planes;
            min[p] = Math.Min(min[p], input[i]);
            max[p] = Math.Max(max[p], input[i]);
        }

        var outputPlane = PlaneStride(size, separate);
        for (var i = 0; i < output.Length; i++)
        {
            var p = i / outputPlane % planes;
            output[i] = Math.Clamp(output[i], min[p], max[p]);
        }
    }

    private static int PlaneStride(int[] size, int? axis) => axis switch { 0 => size[1] * size[2], 1 => size[2], _ => 1 };
}

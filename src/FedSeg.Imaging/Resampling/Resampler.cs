using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Brings images and label maps to the spacing a network was planned for, and class scores back. Results do not depend on the number of threads.
/// Source: nnU-Net v2, default_resampling, in our own code: images by cubic spline with edge values continued and clipped to the range
/// they had, labels by linear one-hots; where one axis is more than 3 times coarser than the finest, interpolation only in the
/// planes across it and the nearest plane along it.
/// </summary>
public static class Resampler
{
    /// <summary>The image with about the spacing asked for: the result's grid carries the one that fits a whole number of voxels.</summary>
    /// <param name="image">The image; returned itself when its size does not change.</param>
    /// <param name="spacingMmZyx">Target spacing, mm, [slice, row, column].</param>
    /// <exception cref="ArgumentException">The spacing is not three finite, positive numbers.</exception>
    public static Volume ToSpacing(Volume image, IReadOnlyList<double> spacingMmZyx) => ToSpacing(image, spacingMmZyx, new ParallelOptions());

    /// <summary>The label map with about the spacing asked for.</summary>
    /// <remarks>
    /// Each class is interpolated linearly as a map of 0 and 1 and the class with the most weight is taken, background included, the
    /// lower number on a tie: one class against background is nnU-Net's "> 0.5". Where three classes meet and none passes 0.5,
    /// nnU-Net leaves background; here the heaviest class fills the gap.
    /// </remarks>
    /// <param name="labels">The label map; returned itself when its size does not change.</param>
    /// <param name="spacingMmZyx">Target spacing, mm, [slice, row, column].</param>
    /// <exception cref="ArgumentException">The spacing is not three finite, positive numbers.</exception>
    public static LabelVolume ToSpacing(LabelVolume labels, IReadOnlyList<double> spacingMmZyx)
    {
        var to = ResampledGrid.SizeAt(labels.Grid, spacingMmZyx);
        if (to.SequenceEqual(ResampledGrid.SizesZyx(labels.Grid.Size))) return labels;
        return LabelResampling.Run(labels, to, ResampledGrid.CoarseAxis(labels.Grid, spacingMmZyx));
    }

    /// <summary>One class's logits or probabilities at another size, linear along all three axes; for use after inference, class by class.</summary>
    /// <param name="values">[from.Z, from.Y, from.X]; returned itself when the sizes are equal.</param>
    /// <param name="from">Size of <paramref name="values"/>.</param>
    /// <param name="to">Size wanted; each at least 1.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the values do not fit theirs.</exception>
    public static float[] LinearToSize(float[] values, Index3 from, Index3 to)
    {
        var (old, wanted) = (ResampledGrid.SizesZyx(from), ResampledGrid.SizesZyx(to));
        if (old.Any(n => n < 1) || wanted.Any(n => n < 1)) throw new ArgumentException($"Sizes must be at least 1; got {from} and {to}.", nameof(to));
        if (values.Length != (long)from.Z * from.Y * from.X)
        {
            throw new ArgumentException($"A grid of {from} does not hold {values.Length} values.", nameof(values));
        }

        return AlongAxes(values, old, wanted, AxisTaps.Linear, new ParallelOptions());
    }

    internal static Volume ToSpacing(Volume image, IReadOnlyList<double> spacingMmZyx, ParallelOptions threads)
    {
        var from = ResampledGrid.SizesZyx(image.Grid.Size);
        var to = ResampledGrid.SizeAt(image.Grid, spacingMmZyx);
        if (to.SequenceEqual(from)) return image;

        var coarse = ResampledGrid.CoarseAxis(image.Grid, spacingMmZyx);
        var inPlane = (int[])to.Clone();
        if (coarse is { } kept) inPlane[kept] = from[kept];
        var voxels = AlongAxes(image.Voxels, from, inPlane, AxisTaps.Cubic, threads);
        if (!ReferenceEquals(voxels, image.Voxels)) PlaneRanges.Of(image.Voxels, from, coarse).Clip(voxels, inPlane);
        if (coarse is { } axis && to[axis] != from[axis])
        {
            voxels = AlongAxis(voxels, inPlane, axis, AxisTaps.Nearest(from[axis], to[axis]), threads);
        }

        return new Volume(ResampledGrid.OfSize(image.Grid, to), voxels);
    }

    private static float[] AlongAxes(float[] values, int[] from, int[] to, Func<int, int, AxisTaps> taps, ParallelOptions threads)
    {
        // The axis that shrinks most goes first: the passes after it have less to do.
        var current = (int[])from.Clone();
        foreach (var axis in Enumerable.Range(0, 3).OrderBy(axis => (double)to[axis] / from[axis]))
        {
            if (to[axis] == from[axis]) continue;
            values = AlongAxis(values, current, axis, taps(from[axis], to[axis]), threads);
            current[axis] = to[axis];
        }

        return values;
    }

    private static float[] AlongAxis(float[] values, int[] sizes, int axis, AxisTaps taps, ParallelOptions threads)
    {
        var outer = sizes[..axis].Aggregate(1, (product, n) => product * n);
        var inner = sizes[(axis + 1)..].Aggregate(1, (product, n) => product * n);
        return AxisPass.Run(values, outer, inner, taps, threads);
    }
}

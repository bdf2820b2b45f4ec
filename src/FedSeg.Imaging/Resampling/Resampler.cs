using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Changes the spacing of images, label maps and class scores by the rules of nnU-Net v2: images by cubic spline without anti-aliasing and clipped to
/// their own range, labels by linear one-hot vote (&gt; 0.5, else background), scores linearly; thick slices as in <see cref="SeparateAxis"/>.
/// The grids before and after cover the same box edge to edge; the result's grid states the spacing that follows from its whole number of voxels,
/// which differs a little from the one asked for. Results do not depend on the number of threads. Isensee et al., Nature Methods 18, 2021.
/// </summary>
/// <remarks>In every method, <c>maxThreads</c> is the largest number of threads used, -1 for all of the machine's.</remarks>
public static class Resampler
{
    /// <summary>Resamples an image to about <paramref name="spacingMm"/>; the same instance when the number of voxels stays.</summary>
    /// <exception cref="ArgumentException">A spacing is not finite and positive.</exception>
    public static Volume ToSpacing(Volume volume, Vector3D spacingMm, int maxThreads = -1)
    {
        var target = GridAt(volume.Grid, spacingMm);
        return target == volume.Grid
            ? volume
            : new Volume(target, LineResampling.Resample(volume.Voxels, volume.Grid, target, Interpolation.Cubic, maxThreads));
    }

    /// <summary>Resamples a label map to about <paramref name="spacingMm"/>; the same instance when the number of voxels stays.</summary>
    /// <exception cref="ArgumentException">A spacing is not finite and positive.</exception>
    public static LabelVolume ToSpacing(LabelVolume labels, Vector3D spacingMm, int maxThreads = -1) =>
        ToGrid(labels, GridAt(labels.Grid, spacingMm), maxThreads);

    /// <summary>Resamples an image (cubic) onto <paramref name="grid"/>, which must cover the same box: the way back from <see cref="ToSpacing(Volume, Vector3D, int)"/>.</summary>
    /// <exception cref="ArgumentException">The grids do not cover the same box.</exception>
    public static Volume ToGrid(Volume volume, GridGeometry grid, int maxThreads = -1)
    {
        RequireSameBox(volume.Grid, grid);
        return volume.Grid.Size == grid.Size
            ? new Volume(grid, volume.Voxels)
            : new Volume(grid, LineResampling.Resample(volume.Voxels, volume.Grid, grid, Interpolation.Cubic, maxThreads));
    }

    /// <summary>Resamples labels onto <paramref name="grid"/>, which must cover the same box.</summary>
    /// <exception cref="ArgumentException">The grids do not cover the same box.</exception>
    public static LabelVolume ToGrid(LabelVolume labels, GridGeometry grid, int maxThreads = -1)
    {
        RequireSameBox(labels.Grid, grid);
        if (labels.Grid == grid) return labels;
        return new LabelVolume(grid, labels.Grid.Size == grid.Size ? labels.Labels : LabelVote.Resample(labels, grid, maxThreads));
    }

    /// <summary>
    /// Resamples class scores (logits or probabilities) linearly onto <paramref name="to"/>, which must cover the same box as <paramref name="from"/>.
    /// </summary>
    /// <param name="scores"><c>[classes, z, y, x]</c> on <paramref name="from"/>.</param>
    /// <returns><c>[classes, z, y, x]</c> on <paramref name="to"/>.</returns>
    /// <exception cref="ArgumentException">The buffer does not fit, or the grids do not cover the same box.</exception>
    public static float[] ScoresToGrid(ReadOnlySpan<float> scores, int classes, GridGeometry from, GridGeometry to, int maxThreads = -1)
    {
        RequireSameBox(from, to);
        if (classes < 1 || scores.Length != (long)classes * from.VoxelCount)
        {
            throw new ArgumentException($"{classes} classes on {from.VoxelCount} voxels need {(long)classes * from.VoxelCount} scores; there are {scores.Length}.", nameof(scores));
        }

        if (from.Size == to.Size) return scores.ToArray();
        var result = new float[checked(classes * to.VoxelCount)];
        for (var c = 0; c < classes; c++)
        {
            var channel = scores.Slice(c * from.VoxelCount, from.VoxelCount).ToArray();
            LineResampling.Resample(channel, from, to, Interpolation.Linear, maxThreads).CopyTo(result, c * to.VoxelCount);
        }

        return result;
    }

    /// <summary>The grid of about <paramref name="spacingMm"/> over the same box: size = round(old spacing / new spacing · old size), at least 1, halves to even.</summary>
    /// <exception cref="ArgumentException">A spacing is not finite and positive.</exception>
    public static GridGeometry GridAt(GridGeometry grid, Vector3D spacingMm)
    {
        static int Count(double oldMm, double newMm, int size)
        {
            if (!double.IsFinite(newMm) || newMm <= 0)
                throw new ArgumentException($"The target spacing {newMm} mm is not a positive number.", nameof(spacingMm));
            return Math.Max(1, checked((int)Math.Round(oldMm / newMm * size)));
        }

        var s = grid.SpacingMm;
        var size = new Index3(Count(s.Z, spacingMm.Z, grid.Size.Z), Count(s.Y, spacingMm.Y, grid.Size.Y), Count(s.X, spacingMm.X, grid.Size.X));
        if (size == grid.Size) return grid;
        var origin = grid.PositionMm(
            AxisTaps.Position(0, grid.Size.Z, size.Z), AxisTaps.Position(0, grid.Size.Y, size.Y), AxisTaps.Position(0, grid.Size.X, size.X));
        var spacing = new Vector3D(X: s.X * grid.Size.X / size.X, Y: s.Y * grid.Size.Y / size.Y, Z: s.Z * grid.Size.Z / size.Z);
        return new GridGeometry(size, spacing, origin, grid.Directions);
    }

    private static void RequireSameBox(GridGeometry a, GridGeometry b)
    {
        // A thousandth of a millimetre is far below any scanner's resolution and far above rounding.
        const double ToleranceMm = 1e-3;
        var near = (a.PositionMm(-0.5, -0.5, -0.5) - b.PositionMm(-0.5, -0.5, -0.5)).Length <= ToleranceMm
            && (EndOf(a, 0) - EndOf(b, 0)).Length <= ToleranceMm
            && (EndOf(a, 1) - EndOf(b, 1)).Length <= ToleranceMm
            && (EndOf(a, 2) - EndOf(b, 2)).Length <= ToleranceMm;
        if (!near) throw new ArgumentException($"The grids cover different boxes, {a} and {b}: resample only between grids of one image.");
    }

    private static Vector3D EndOf(GridGeometry g, int axis) => g.PositionMm(
        axis == 0 ? g.Size.Z - 0.5 : -0.5, axis == 1 ? g.Size.Y - 0.5 : -0.5, axis == 2 ? g.Size.X - 0.5 : -0.5);
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Changes the spacing of images, label maps and class scores by the rules of nnU-Net v2: images by cubic spline without anti-aliasing and
/// clipped to their own range, labels by linear one-hot vote (&gt; 0.5, else background), scores linearly; thick slices as in
/// <see cref="SeparateAxis"/>. The grids before and after cover the same box edge to edge; the result's grid states the spacing that
/// follows from its whole number of voxels, which differs a little from the one asked for. Results do not depend on the number of threads.
/// Isensee et al., Nature Methods 18, 2021.
/// </summary>
/// <remarks>In every method, <c>maxThreads</c> is the largest number of threads used, -1 for all of the machine's.</remarks>
public static class Resampler
{
    /// <summary>Resamples an image to about <paramref name="spacingMm"/>; the same instance when the number of voxels stays.</summary>
    /// <exception cref="ArgumentException">A spacing is not finite and positive, or a voxel to be resampled is not finite.</exception>
    public static Volume ToSpacing(Volume volume, Vector3D spacingMm, int maxThreads = -1)
    {
        var target = GridAt(volume.Grid, spacingMm);
        return target == volume.Grid ? volume : ToGrid(volume, target, maxThreads);
    }

    /// <summary>Resamples a label map to about <paramref name="spacingMm"/>; the same instance when the number of voxels stays.</summary>
    /// <exception cref="ArgumentException">A spacing is not finite and positive.</exception>
    public static LabelVolume ToSpacing(LabelVolume labels, Vector3D spacingMm, int maxThreads = -1) =>
        ToGrid(labels, GridAt(labels.Grid, spacingMm), maxThreads);

    /// <summary>
    /// Resamples an image (cubic) onto <paramref name="grid"/>, which must cover the same box: the way back from
    /// <see cref="ToSpacing(Volume, Vector3D, int)"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The grids do not cover the same box, or a voxel to be resampled is not finite.</exception>
    public static Volume ToGrid(Volume volume, GridGeometry grid, int maxThreads = -1)
    {
        RequireSameBox(volume.Grid, grid);
        if (volume.Grid.Size == grid.Size) return new Volume(grid, volume.Voxels);
        RequireFinite(volume.Voxels);
        return new Volume(grid, LineResampling.Resample(volume.Voxels, volume.Grid, grid, Interpolation.Cubic, maxThreads));
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
    /// Resamples class scores (logits or probabilities) linearly onto <paramref name="to"/>, which must cover the same box as
    /// <paramref name="from"/>. A NaN score reaches only the voxels interpolated from it. The whole-volume twin of
    /// <see cref="ScoreLabelling"/>, which its tests hold it to.
    /// </summary>
    /// <param name="scores"><c>[classes, z, y, x]</c> on <paramref name="from"/>.</param>
    /// <returns><c>[classes, z, y, x]</c> on <paramref name="to"/>.</returns>
    /// <exception cref="ArgumentException">The buffer does not fit, or the grids do not cover the same box.</exception>
    internal static float[] ScoresToGrid(ReadOnlySpan<float> scores, int classes, GridGeometry from, GridGeometry to, int maxThreads = -1)
    {
        RequireSameBox(from, to);
        if (classes < 1 || scores.Length != (long)classes * from.VoxelCount)
        {
            throw new ArgumentException(
                $"{classes} classes on {from.VoxelCount} voxels need {(long)classes * from.VoxelCount} scores; there are {scores.Length}.",
                nameof(scores));
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

    /// <summary>
    /// The grid of about <paramref name="spacingMm"/> over the same box: size = round(old spacing / new spacing · old size), halves to
    /// even, at least 1.
    /// </summary>
    /// <exception cref="ArgumentException">A spacing is not finite and positive.</exception>
    public static GridGeometry GridAt(GridGeometry grid, Vector3D spacingMm)
    {
        var (old, from) = (grid.SpacingMm, grid.Size);
        var size = new Index3(
            Count(from.Z, old.Z, spacingMm.Z),
            Count(from.Y, old.Y, spacingMm.Y),
            Count(from.X, old.X, spacingMm.X));
        if (size == from) return grid;
        var fitted = new Vector3D(X: old.X * from.X / size.X, Y: old.Y * from.Y / size.Y, Z: old.Z * from.Z / size.Z);
        var origin = grid.PositionMm(
            AxisTaps.Position(0, from.Z, size.Z), AxisTaps.Position(0, from.Y, size.Y), AxisTaps.Position(0, from.X, size.X));
        return new GridGeometry(size, fitted, origin, grid.Directions);
    }

    private static int Count(int count, double spacingMm, double targetMm)
    {
        if (!double.IsFinite(targetMm) || targetMm <= 0)
        {
            throw new ArgumentException($"The target spacing {targetMm} mm is not a finite, positive length.", nameof(targetMm));
        }

        return Math.Max(1, checked((int)Math.Round(spacingMm / targetMm * count, MidpointRounding.ToEven)));
    }

    private static void RequireFinite(float[] voxels)
    {
        // The spline would spread one bad voxel over every line that meets it.
        for (var i = 0; i < voxels.Length; i++)
        {
            if (float.IsFinite(voxels[i])) continue;
            throw new ArgumentException($"Voxel {i} of the image is {voxels[i]}; NaN and infinite voxels cannot be resampled.", nameof(voxels));
        }
    }

    internal static void RequireSameBox(GridGeometry a, GridGeometry b)
    {
        // A thousandth of a millimetre is far below any scanner's resolution and far above rounding.
        const double ToleranceMm = 1e-3;
        var offCorner = Corner(a, default) - Corner(b, default);
        var offSlice = Corner(a, new(1, 0, 0)) - Corner(b, new(1, 0, 0));
        var offRow = Corner(a, new(0, 1, 0)) - Corner(b, new(0, 1, 0));
        var offColumn = Corner(a, new(0, 0, 1)) - Corner(b, new(0, 0, 1));
        if (!(Math.Max(Math.Max(offCorner.Length, offSlice.Length), Math.Max(offRow.Length, offColumn.Length)) <= ToleranceMm))
        {
            throw new ArgumentException($"The grids cover different boxes, {a} and {b}: resample only between grids of one image.");
        }
    }

    /// <summary>A corner of the grid's box: the first (0) or the last (1) face along each axis.</summary>
    private static Vector3D Corner(GridGeometry grid, Index3 face) => grid.PositionMm(
        face.Z * grid.Size.Z - 0.5, face.Y * grid.Size.Y - 0.5, face.X * grid.Size.X - 0.5);
}

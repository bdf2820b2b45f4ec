namespace FedSeg.Imaging.Resampling;

/// <summary>
/// The lowest and highest value of each plane across the coarse axis, or of the whole image where there is none. A cubic spline
/// overshoots at edges; what is interpolated together is clipped to the range it had, as scikit-image's <c>resize</c> does.
/// </summary>
internal sealed class PlaneRanges
{
    private readonly (float Low, float High)[] ranges;
    private readonly int? coarseAxis;

    private PlaneRanges(int planes, int? coarseAxis)
    {
        ranges = new (float Low, float High)[planes];
        Array.Fill(ranges, (float.PositiveInfinity, float.NegativeInfinity));
        this.coarseAxis = coarseAxis;
    }

    /// <param name="voxels">An image of <paramref name="sizes"/>, memory order [z, y, x].</param>
    /// <param name="sizes">Voxels along z, y, x.</param>
    /// <param name="coarseAxis">The axis whose planes are interpolated one by one (0 z, 1 y, 2 x), or null.</param>
    public static PlaneRanges Of(float[] voxels, int[] sizes, int? coarseAxis)
    {
        var found = new PlaneRanges(coarseAxis is { } axis ? sizes[axis] : 1, coarseAxis);
        var run = found.VoxelsInARow(sizes);
        for (var start = 0; start < voxels.Length; start += run)
        {
            ref var range = ref found.ranges[start / run % found.ranges.Length];
            foreach (var value in voxels.AsSpan(start, run)) range = (Math.Min(range.Low, value), Math.Max(range.High, value));
        }

        return found;
    }

    /// <summary>Clips, in place, an image that has the same planes but any size within them.</summary>
    /// <param name="voxels">The image, memory order [z, y, x].</param>
    /// <param name="sizes">Its voxels along z, y, x; as many planes as before.</param>
    public void Clip(float[] voxels, int[] sizes)
    {
        var run = VoxelsInARow(sizes);
        for (var start = 0; start < voxels.Length; start += run)
        {
            var (low, high) = ranges[start / run % ranges.Length];
            foreach (ref var value in voxels.AsSpan(start, run)) value = Math.Clamp(value, low, high);
        }
    }

    /// <summary>How many neighbours in memory belong to one plane: the product of the sizes after the coarse axis.</summary>
    private int VoxelsInARow(int[] sizes) => sizes[(coarseAxis + 1 ?? 0)..].Aggregate(1, (product, n) => product * n);
}

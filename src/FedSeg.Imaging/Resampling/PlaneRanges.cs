namespace FedSeg.Imaging.Resampling;

/// <summary>
/// Lowest and highest value of each plane across the separate axis, or of the whole image where there is none. A cubic spline overshoots at
/// edges; what is interpolated together is clipped to the range it had (skimage.transform.resize, <c>clip=True</c>).
/// </summary>
internal sealed class PlaneRanges
{
    private readonly (float Low, float High)[] ranges;
    private readonly int? separate;

    private PlaneRanges(int planes, int? separate)
    {
        ranges = new (float Low, float High)[planes];
        Array.Fill(ranges, (float.PositiveInfinity, float.NegativeInfinity));
        this.separate = separate;
    }

    /// <param name="voxels">Image of <paramref name="size"/>, finite values.</param>
    /// <param name="size">Voxels along z, y, x.</param>
    /// <param name="separate">The axis whose planes are interpolated each alone (0 z, 1 y, 2 x), or null.</param>
    public static PlaneRanges Of(float[] voxels, int[] size, int? separate)
    {
        var found = new PlaneRanges(separate is { } axis ? size[axis] : 1, separate);
        var run = found.RunLength(size);
        for (var start = 0; start < voxels.Length; start += run)
        {
            ref var range = ref found.ranges[start / run % found.ranges.Length];
            foreach (var value in voxels.AsSpan(start, run))
            {
                range.Low = Math.Min(range.Low, value);
                range.High = Math.Max(range.High, value);
            }
        }

        return found;
    }

    /// <summary>Clips, in place, an image with the same planes, whatever their size now.</summary>
    public void Clip(float[] voxels, int[] size)
    {
        var run = RunLength(size);
        for (var start = 0; start < voxels.Length; start += run)
        {
            var (low, high) = ranges[start / run % ranges.Length];
            foreach (ref var value in voxels.AsSpan(start, run)) value = Math.Clamp(value, low, high);
        }
    }

    /// <summary>Neighbours in memory that lie in one plane.</summary>
    private int RunLength(int[] size) => separate switch
    {
        0 => size[1] * size[2],
        1 => size[2],
        2 => 1,
        _ => size[0] * size[1] * size[2],
    };
}

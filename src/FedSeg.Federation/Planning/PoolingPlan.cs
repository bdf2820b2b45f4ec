namespace FedSeg.Federation.Planning;

/// <summary>
/// How often each axis is halved and where kernels grow, for a patch of given size. An axis is pooled while it keeps 4 voxels and is not
/// yet twice as coarse as the finest that can still be pooled; kernels are 1 along an axis until it is within a factor 2 of the finest, and
/// 3 from there on. Source: nnU-Net v2.
/// </summary>
internal sealed record PoolingPlan
{
    private const int SmallestEdge = 4;

    /// <summary>Stride of each stage; all 1 in the first.</summary>
    public required IReadOnlyList<int[]> Strides { get; init; }

    /// <summary>Kernel of each stage; all 3 in the last, the bottleneck.</summary>
    public required IReadOnlyList<int[]> Kernels { get; init; }

    /// <summary>The patch, padded to multiples of <see cref="Divisors"/>.</summary>
    public required int[] Patch { get; init; }

    /// <summary>2 to the number of halvings, an axis.</summary>
    public required int[] Divisors { get; init; }

    /// <param name="spacingMm">Spacing of each of two or three axes.</param>
    /// <param name="patch">Voxels, at least 1 an axis; a median, so perhaps not whole.</param>
    public static PoolingPlan Of(double[] spacingMm, double[] patch)
    {
        var (spacing, size) = (spacingMm.ToArray(), patch.ToArray());
        int[] kernel = [.. spacing.Select(_ => 1)];
        int[] divisors = [.. spacing.Select(_ => 1)];
        List<int[]> strides = [[.. spacing.Select(_ => 1)]];
        List<int[]> kernels = [];
        while (PoolableAxes(spacing, size) is { Count: > 0 } pooled)
        {
            // The stage that this pooling ends still sees the spacing before it.
            kernel = [.. kernel.Select((k, axis) => k == 3 || spacing[axis] / spacing.Min() < 2 ? 3 : 1)];
            kernels.Add(kernel);
            strides.Add([.. spacing.Select((_, axis) => pooled.Contains(axis) ? 2 : 1)]);
            foreach (var axis in pooled)
            {
                divisors[axis] *= 2;
                spacing[axis] *= 2;
                size[axis] = Math.Ceiling(size[axis] / 2);
            }
        }

        kernels.Add([.. spacing.Select(_ => 3)]);
        return new PoolingPlan
        {
            Strides = strides,
            Kernels = kernels,
            Patch = [.. patch.Zip(divisors, (extent, divisor) => (int)Math.Ceiling(extent / divisor) * divisor)],
            Divisors = divisors,
        };
    }

    private static List<int> PoolableAxes(double[] spacing, double[] size)
    {
        var largeEnough = Enumerable.Range(0, size.Length).Where(axis => size[axis] >= 2 * SmallestEdge).ToList();
        if (largeEnough.Count == 0) return [];
        var finest = largeEnough.Min(axis => spacing[axis]);
        var pooled = largeEnough.Where(axis => spacing[axis] / finest < 2).ToList();
        return pooled is [var only] && size[only] < 3 * SmallestEdge ? [] : pooled;
    }
}

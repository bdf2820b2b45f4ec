namespace FedSeg.Imaging.Volumes;

/// <summary>
/// The exact reordering (axis permutation and flips, no interpolation) that turns a grid into the one nearest the canonical patient
/// axes: slices run towards the head (+S), rows towards posterior (+P), columns towards left (+L). An oblique grid stays oblique:
/// each axis is matched to the patient axis it is nearest to. The patient position of every voxel is unchanged.
/// </summary>
public sealed class CanonicalOrientation
{
    private static readonly int[][] Permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    private readonly int[] sourceAxis;
    private readonly bool[] flipped;

    private CanonicalOrientation(GridGeometry original, int[] sourceAxis, bool[] flipped)
    {
        OriginalGrid = original;
        this.sourceAxis = sourceAxis;
        this.flipped = flipped;
        CanonicalGrid = Reorder(original);
    }

    /// <summary>The grid as it came.</summary>
    public GridGeometry OriginalGrid { get; }

    /// <summary>The same voxels in canonical order.</summary>
    public GridGeometry CanonicalGrid { get; }

    /// <summary>Whether the grid was canonical already, so that nothing needs to move.</summary>
    public bool IsIdentity => sourceAxis is [0, 1, 2] && !flipped[0] && !flipped[1] && !flipped[2];

    /// <summary>
    /// Finds the reordering of <paramref name="grid"/>: of the six axis assignments, the one with the largest sum of cosines.
    /// </summary>
    public static CanonicalOrientation Of(GridGeometry grid)
    {
        Vector3D[] canonical = [new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)];
        Vector3D[] directions = [grid.Directions.Slice, grid.Directions.Row, grid.Directions.Column];
        double Cosine(int[] axes, int k) => canonical[k].Dot(directions[axes[k]]);
        double Agreement(int[] axes) => Math.Abs(Cosine(axes, 0)) + Math.Abs(Cosine(axes, 1)) + Math.Abs(Cosine(axes, 2));

        // On a tie, as at 45°, the first is kept: the one that moves least.
        var best = Permutations.MaxBy(Agreement)!;
        return new CanonicalOrientation(grid, best, [Cosine(best, 0) < 0, Cosine(best, 1) < 0, Cosine(best, 2) < 0]);
    }

    /// <exception cref="ArgumentException">The volume is not on <see cref="OriginalGrid"/>.</exception>
    public Volume Apply(Volume volume)
    {
        Require(volume.Grid, OriginalGrid, nameof(volume));
        return IsIdentity ? volume : new Volume(CanonicalGrid, Move(volume.Voxels, toCanonical: true));
    }

    /// <exception cref="ArgumentException">The label map is not on <see cref="OriginalGrid"/>.</exception>
    public LabelVolume Apply(LabelVolume labels)
    {
        Require(labels.Grid, OriginalGrid, nameof(labels));
        return IsIdentity ? labels : new LabelVolume(CanonicalGrid, Move(labels.Labels, toCanonical: true));
    }

    /// <summary>Puts labels on the canonical grid back, voxel by voxel, on the original grid.</summary>
    /// <exception cref="ArgumentException">
    /// The labels are not on <see cref="CanonicalGrid"/>, or <paramref name="originalGrid"/> is another grid.
    /// </exception>
    public LabelVolume Undo(LabelVolume labels, GridGeometry originalGrid)
    {
        Require(originalGrid, OriginalGrid, nameof(originalGrid));
        Require(labels.Grid, CanonicalGrid, nameof(labels));
        return new LabelVolume(originalGrid, IsIdentity ? labels.Labels : Move(labels.Labels, toCanonical: false));
    }

    /// <summary>Puts an image on the canonical grid back, voxel by voxel, on the original grid.</summary>
    /// <exception cref="ArgumentException">
    /// The volume is not on <see cref="CanonicalGrid"/>, or <paramref name="originalGrid"/> is another grid.
    /// </exception>
    public Volume Undo(Volume volume, GridGeometry originalGrid)
    {
        Require(originalGrid, OriginalGrid, nameof(originalGrid));
        Require(volume.Grid, CanonicalGrid, nameof(volume));
        return new Volume(originalGrid, IsIdentity ? volume.Voxels : Move(volume.Voxels, toCanonical: false));
    }

    private GridGeometry Reorder(GridGeometry grid)
    {
        int[] size = [grid.Size.Z, grid.Size.Y, grid.Size.X];
        double[] spacing = [grid.SpacingMm.Z, grid.SpacingMm.Y, grid.SpacingMm.X];
        Vector3D[] directions = [grid.Directions.Slice, grid.Directions.Row, grid.Directions.Column];
        var first = new int[3];
        var turned = new Vector3D[3];
        for (var k = 0; k < 3; k++)
        {
            first[sourceAxis[k]] = flipped[k] ? size[sourceAxis[k]] - 1 : 0;
            turned[k] = directions[sourceAxis[k]] * (flipped[k] ? -1 : 1);
        }

        return new GridGeometry(
            new Index3(size[sourceAxis[0]], size[sourceAxis[1]], size[sourceAxis[2]]),
            new Vector3D(X: spacing[sourceAxis[2]], Y: spacing[sourceAxis[1]], Z: spacing[sourceAxis[0]]),
            grid.PositionMm(first[0], first[1], first[2]),
            new AxisDirections(turned[0], turned[1], turned[2]));
    }

    private T[] Move<T>(T[] from, bool toCanonical)
    {
        var original = OriginalGrid.Size;
        int[] size = [original.Z, original.Y, original.X];
        int[] strides = [original.Y * original.X, original.X, 1];
        var step = new int[3];
        var start = 0;
        for (var k = 0; k < 3; k++)
        {
            var axis = sourceAxis[k];
            step[k] = flipped[k] ? -strides[axis] : strides[axis];
            start += flipped[k] ? (size[axis] - 1) * strides[axis] : 0;
        }

        var moved = new T[from.Length];
        var canonical = 0;
        for (var z = 0; z < CanonicalGrid.Size.Z; z++)
        for (var y = 0; y < CanonicalGrid.Size.Y; y++)
        for (var x = 0; x < CanonicalGrid.Size.X; x++, canonical++)
        {
            var source = start + z * step[0] + y * step[1] + x * step[2];
            if (toCanonical)
                moved[canonical] = from[source];
            else
                moved[source] = from[canonical];
        }

        return moved;
    }

    private static void Require(GridGeometry actual, GridGeometry expected, string parameter)
    {
        if (actual != expected)
        {
            throw new ArgumentException(
                $"The grid is {actual}, this orientation is for {expected}; make one with CanonicalOrientation.Of.", parameter);
        }
    }
}

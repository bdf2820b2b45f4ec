namespace FedSeg.Imaging.Volumes;

/// <summary>
/// The exact turn of a grid onto the patient axes nearest to it: after <see cref="Apply(Volume)"/> slices grow to the head (+S), rows to
/// the back (+P) and columns to the left (+L), so a network meets every patient the same way round whatever plane the scanner acquired.
/// Axes are only exchanged and reversed, nothing is interpolated: every voxel keeps its value and its place in the patient, and
/// an oblique grid stays oblique by whatever is left of the angle.
/// </summary>
public sealed class CanonicalOrientation
{
    // Source axis (0 slice, 1 row, 2 column) of the canonical slice, row and column; the first of equally near ones is taken.
    private static readonly int[][] Permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    private static readonly Vector3D[] PatientAxes = [new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)];

    private readonly int firstVoxel;
    private readonly int[] strides = new int[3];

    private CanonicalOrientation(GridGeometry original)
    {
        var directions = new[] { original.Directions.Slice, original.Directions.Row, original.Directions.Column };
        var spacings = new[] { original.SpacingMm.Z, original.SpacingMm.Y, original.SpacingMm.X };
        var sizes = new[] { original.Size.Z, original.Size.Y, original.Size.X };
        var originalStrides = new[] { original.Size.Y * original.Size.X, original.Size.X, 1 };
        var source = NearestPermutation(directions);

        var origin = original.OriginMm;
        var turned = new Vector3D[3];
        for (var axis = 0; axis < 3; axis++)
        {
            var from = source[axis];
            var reversed = directions[from].Dot(PatientAxes[axis]) < 0;
            turned[axis] = reversed ? directions[from] * -1 : directions[from];
            strides[axis] = reversed ? -originalStrides[from] : originalStrides[from];
            if (!reversed) continue;
            firstVoxel += (sizes[from] - 1) * originalStrides[from];
            origin += directions[from] * ((sizes[from] - 1) * spacings[from]);
        }

        Original = original;
        Canonical = new GridGeometry(
            new Index3(sizes[source[0]], sizes[source[1]], sizes[source[2]]),
            new Vector3D(X: spacings[source[2]], Y: spacings[source[1]], Z: spacings[source[0]]),
            origin,
            new AxisDirections(turned[0], turned[1], turned[2]));
    }

    /// <summary>The grid as it came.</summary>
    public GridGeometry Original { get; }

    /// <summary>The same voxels with slices growing to the head, rows to the back, columns to the left.</summary>
    public GridGeometry Canonical { get; }

    /// <summary>The turn that brings <paramref name="grid"/> nearest to the patient axes: the largest sum of |cosine| over the three axes.</summary>
    public static CanonicalOrientation Of(GridGeometry grid) => new(grid);

    /// <summary>The image on the <see cref="Canonical"/> grid, in a buffer of its own.</summary>
    /// <exception cref="ArgumentException">The image does not lie on the <see cref="Original"/> grid.</exception>
    public Volume Apply(Volume image)
    {
        RequireGrid(image.Grid, Original, nameof(image));
        return new Volume(Canonical, Turn(image.Voxels));
    }

    /// <summary>The label map on the <see cref="Canonical"/> grid, in a buffer of its own.</summary>
    /// <exception cref="ArgumentException">The label map does not lie on the <see cref="Original"/> grid.</exception>
    public LabelVolume Apply(LabelVolume labels)
    {
        RequireGrid(labels.Grid, Original, nameof(labels));
        return new LabelVolume(Canonical, Turn(labels.Labels));
    }

    /// <summary>A label map made on the <see cref="Canonical"/> grid, put back voxel by voxel on the <see cref="Original"/> one.</summary>
    /// <exception cref="ArgumentException">The label map does not lie on the <see cref="Canonical"/> grid.</exception>
    public LabelVolume Undo(LabelVolume labels)
    {
        RequireGrid(labels.Grid, Canonical, nameof(labels));
        var restored = new byte[labels.Labels.Length];
        var next = 0;
        foreach (var line in CanonicalLines())
        {
            for (var x = 0; x < Canonical.Size.X; x++) restored[line + x * strides[2]] = labels.Labels[next++];
        }

        return new LabelVolume(Original, restored);
    }

    private T[] Turn<T>(T[] voxels)
    {
        var turned = new T[voxels.Length];
        var next = 0;
        foreach (var line in CanonicalLines())
        {
            for (var x = 0; x < Canonical.Size.X; x++) turned[next++] = voxels[line + x * strides[2]];
        }

        return turned;
    }

    /// <summary>For each line of columns of the canonical grid, in memory order, the index of its first voxel in the original buffer.</summary>
    private IEnumerable<int> CanonicalLines()
    {
        for (var z = 0; z < Canonical.Size.Z; z++)
        {
            for (var y = 0; y < Canonical.Size.Y; y++) yield return firstVoxel + z * strides[0] + y * strides[1];
        }
    }

    private static int[] NearestPermutation(Vector3D[] directions)
    {
        // A grid turned by exactly 45° must not fall to either side by the last bit of a cosine.
        const double tie = 1e-9;
        var (best, bestFit) = (Permutations[0], double.NegativeInfinity);
        foreach (var candidate in Permutations)
        {
            var fit = 0.0;
            for (var axis = 0; axis < 3; axis++) fit += Math.Abs(directions[candidate[axis]].Dot(PatientAxes[axis]));
            if (fit > bestFit + tie) (best, bestFit) = (candidate, fit);
        }

        return best;
    }

    private static void RequireGrid(GridGeometry found, GridGeometry expected, string parameter)
    {
        const double toleranceMm = 1e-3;
        var (last, lastExpected) = (LastVoxelMm(found), LastVoxelMm(expected));
        if (found.Size == expected.Size
            && (found.OriginMm - expected.OriginMm).Length <= toleranceMm
            && (last - lastExpected).Length <= toleranceMm) return;
        throw new ArgumentException(
            $"The volume lies on a grid of {found.Size} from {found.OriginMm} to {last} mm, this orientation expects {expected.Size} "
            + $"from {expected.OriginMm} to {lastExpected} mm; resample the volume to that grid first.",
            parameter);
    }

    private static Vector3D LastVoxelMm(GridGeometry grid) => grid.PositionMm(grid.Size.Z - 1, grid.Size.Y - 1, grid.Size.X - 1);
}

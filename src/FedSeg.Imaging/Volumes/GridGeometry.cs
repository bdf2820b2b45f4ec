namespace FedSeg.Imaging.Volumes;

/// <summary>
/// Where the voxels of a grid lie in the patient, in DICOM's patient coordinates (LPS: +x left, +y posterior, +z head; mm).
/// Axis order everywhere is <c>[z, y, x]</c>: slices, rows, columns, the last one contiguous in memory.
/// </summary>
/// <param name="Size">Voxels along each axis, <c>[slices, rows, columns]</c>; each at least 1.</param>
/// <param name="SpacingMm">Distance between voxel centres along each axis, mm; finite and positive.</param>
/// <param name="OriginMm">Centre of voxel (0, 0, 0): the patient's x, y, z.</param>
/// <param name="Directions">Unit vectors (patient x, y, z) of growing slice, row and column index, in that order.</param>
public sealed record GridGeometry(Index3 Size, Vector3D SpacingMm, Vector3D OriginMm, AxisDirections Directions)
{
    /// <summary>Number of voxels.</summary>
    public int VoxelCount => checked(Size.Z * Size.Y * Size.X);

    /// <summary>
    /// The patient position, in mm, of the centre of voxel <paramref name="z"/>, <paramref name="y"/>, <paramref name="x"/>.
    /// </summary>
    public Vector3D PositionMm(double z, double y, double x) =>
        OriginMm
        + Directions.Slice * (z * SpacingMm.Z)
        + Directions.Row * (y * SpacingMm.Y)
        + Directions.Column * (x * SpacingMm.X);

    /// <summary>
    /// Where a patient position lies on the grid: column, row and slice index as x, y and z, whole numbers at voxel centres. The axes need
    /// not be at right angles: a stack may lean by what its assembly tolerates.
    /// </summary>
    public Vector3D IndexAt(Vector3D positionMm)
    {
        var (slice, row, column) = (Directions.Slice * SpacingMm.Z, Directions.Row * SpacingMm.Y, Directions.Column * SpacingMm.X);
        var offset = positionMm - OriginMm;
        var volume = slice.Dot(row.Cross(column));
        return new Vector3D(
            X: offset.Dot(slice.Cross(row)) / volume,
            Y: offset.Dot(column.Cross(slice)) / volume,
            Z: offset.Dot(row.Cross(column)) / volume);
    }
}

/// <summary>Voxel counts or indices along <c>z</c> (slices), <c>y</c> (rows), <c>x</c> (columns).</summary>
public readonly record struct Index3(int Z, int Y, int X);

/// <summary>Three doubles: a patient position or direction (x, y, z), or a per-axis length in mm.</summary>
public readonly record struct Vector3D(double X, double Y, double Z)
{
    public double Length => Math.Sqrt(Dot(this));

    public double Dot(Vector3D other) => X * other.X + Y * other.Y + Z * other.Z;

    public Vector3D Cross(Vector3D other) => new(Y * other.Z - Z * other.Y, Z * other.X - X * other.Z, X * other.Y - Y * other.X);

    public static Vector3D operator +(Vector3D a, Vector3D b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z);
    public static Vector3D operator -(Vector3D a, Vector3D b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z);
    public static Vector3D operator *(Vector3D a, double factor) => new(a.X * factor, a.Y * factor, a.Z * factor);
}

/// <summary>Unit vectors in patient coordinates along which the slice, row and column index grows.</summary>
/// <param name="Slice">Direction of growing <c>z</c> index (the stack's normal).</param>
/// <param name="Row">Direction of growing <c>y</c> index (down a column of pixels; the second triple of ImageOrientationPatient).</param>
/// <param name="Column">Direction of growing <c>x</c> index (along a row of pixels; the first triple of ImageOrientationPatient).</param>
public sealed record AxisDirections(Vector3D Slice, Vector3D Row, Vector3D Column);

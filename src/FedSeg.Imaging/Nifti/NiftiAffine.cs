using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Nifti;

/// <summary>
/// A NIfTI voxel-to-patient matrix: position = I · i + J · j + K · k + Origin, in mm and RAS (+x right, +y front, +z head). DICOM and
/// <see cref="GridGeometry"/> are LPS, so x and y change sign between the two; the order of voxels in memory (i fastest) is the same.
/// </summary>
/// <param name="I">Step from one column to the next: the grid's x axis.</param>
/// <param name="J">Step from one row to the next: the grid's y axis.</param>
/// <param name="K">Step from one slice to the next: the grid's z axis.</param>
/// <param name="Origin">Centre of voxel (0, 0, 0).</param>
public readonly record struct NiftiAffine(Vector3D I, Vector3D J, Vector3D K, Vector3D Origin)
{
    public static NiftiAffine Of(GridGeometry grid) => new(
        Turned(grid.Directions.Column * grid.SpacingMm.X),
        Turned(grid.Directions.Row * grid.SpacingMm.Y),
        Turned(grid.Directions.Slice * grid.SpacingMm.Z),
        Turned(grid.OriginMm));

    /// <summary>The grid of that many voxels. The steps must be finite and longer than nothing.</summary>
    public GridGeometry ToGrid(Index3 size) => new(
        size,
        new Vector3D(X: I.Length, Y: J.Length, Z: K.Length),
        Turned(Origin),
        new AxisDirections(Turned(K * (1 / K.Length)), Turned(J * (1 / J.Length)), Turned(I * (1 / I.Length))));

    /// <summary>The four rows of the homogeneous matrix, as nibabel prints them.</summary>
    public double[][] ToRows() =>
        [[I.X, J.X, K.X, Origin.X], [I.Y, J.Y, K.Y, Origin.Y], [I.Z, J.Z, K.Z, Origin.Z], [0, 0, 0, 1]];

    /// <summary>RAS to LPS or back; no negative zeros, which would only confuse whoever reads the matrix.</summary>
    private static Vector3D Turned(Vector3D vector) => new(0 - vector.X, 0 - vector.Y, vector.Z);
}

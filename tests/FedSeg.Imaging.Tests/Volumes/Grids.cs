using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Volumes;

internal static class Grids
{
    /// <summary>A grid along the patient axes: slices to the head, rows to the back, columns to the left.</summary>
    public static GridGeometry Straight(Index3 size, double sliceMm, double rowMm, double columnMm) =>
        new(
            size,
            SpacingMm(sliceMm, rowMm, columnMm),
            new Vector3D(-100, -80, 500),
            new AxisDirections(new(0, 0, 1), new(0, 1, 0), new(1, 0, 0)));

    /// <summary>Spacing in the order of the grid's axes: slices, rows, columns.</summary>
    public static Vector3D SpacingMm(double sliceMm, double rowMm, double columnMm) => new(X: columnMm, Y: rowMm, Z: sliceMm);
}

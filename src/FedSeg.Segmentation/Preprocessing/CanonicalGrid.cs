using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// The grid a network sees a study on: the study's own axes put into the order and sense nearest to the patient's (index grows towards head, back and left), at the
/// plan's spacing, centred on the study. Nothing is turned, so an oblique scan stays oblique and no voxel is lost.
/// </summary>
internal static class CanonicalGrid
{
    private static readonly int[][] Orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    /// <summary>The canonical grid of a study.</summary>
    /// <param name="study">The grid as the scanner made it.</param>
    /// <param name="spacingMm">Voxel spacing along the canonical z, y and x.</param>
    public static GridGeometry Of(GridGeometry study, IReadOnlyList<double> spacingMm)
    {
        Vector3D[] axes = [study.Directions.Slice, study.Directions.Row, study.Directions.Column];
        double[] extents = [study.Size.Z * study.SpacingMm.Z, study.Size.Y * study.SpacingMm.Y, study.Size.X * study.SpacingMm.X];

        // Which of the study's axes lies along the patient's z, y, x.
        var order = Orders.MaxBy(o => Math.Abs(axes[o[0]].Z) + Math.Abs(axes[o[1]].Y) + Math.Abs(axes[o[2]].X))!;
        var (slice, row, column) = (axes[order[0]], axes[order[1]], axes[order[2]]);
        var directions = new AxisDirections(
            slice * (slice.Z < 0 ? -1 : 1),
            row * (row.Y < 0 ? -1 : 1),
            column * (column.X < 0 ? -1 : 1));
        var size = new Index3(
            Voxels(extents[order[0]], spacingMm[0]),
            Voxels(extents[order[1]], spacingMm[1]),
            Voxels(extents[order[2]], spacingMm[2]));

        var centre = study.PositionMm((study.Size.Z - 1) / 2.0, (study.Size.Y - 1) / 2.0, (study.Size.X - 1) / 2.0);
        var origin = centre
            - directions.Slice * ((size.Z - 1) / 2.0 * spacingMm[0])
            - directions.Row * ((size.Y - 1) / 2.0 * spacingMm[1])
            - directions.Column * ((size.X - 1) / 2.0 * spacingMm[2]);
        return new GridGeometry(size, new Vector3D(spacingMm[2], spacingMm[1], spacingMm[0]), origin, directions);
    }

    private static int Voxels(double extentMm, double spacingMm) => Math.Max(1, (int)Math.Round(extentMm / spacingMm));
}

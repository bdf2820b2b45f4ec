using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Resampling;

/// <summary>
/// nnU-Net's rule for thick slices: when the largest spacing is more than three times the smallest (of the grid as it is, else of the
/// target), that axis is resampled by nearest neighbour and only the plane across it is interpolated. No such axis when several tie for the
/// largest.
/// </summary>
internal static class SeparateAxis
{
    private const double Threshold = 3;

    // Spacings measured from slice positions carry rounding; a tie for the largest must survive it.
    private const double TieTolerance = 1e-6;

    /// <returns>0 (slices), 1 (rows), 2 (columns), or null.</returns>
    public static int? Of(Vector3D currentMm, Vector3D targetMm)
    {
        if (IsAnisotropic(currentMm)) return Largest(currentMm);
        return IsAnisotropic(targetMm) ? Largest(targetMm) : null;
    }

    private static bool IsAnisotropic(Vector3D s) => Math.Max(s.X, Math.Max(s.Y, s.Z)) > Threshold * Math.Min(s.X, Math.Min(s.Y, s.Z));

    private static int? Largest(Vector3D s)
    {
        double[] axes = [s.Z, s.Y, s.X];
        var max = axes.Max();
        return axes.Count(a => a >= max * (1 - TieTolerance)) == 1 ? Array.IndexOf(axes, max) : null;
    }
}

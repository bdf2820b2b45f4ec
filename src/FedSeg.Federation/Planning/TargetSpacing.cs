using FedSeg.Federation.Fingerprints;

namespace FedSeg.Federation.Planning;

/// <summary>
/// The spacing all images are brought to: the median along each axis. Where one axis is much coarser and has few slices, its 10th
/// percentile instead, so that the finer scans of the data lose less, but never below the next coarsest axis. Source: nnU-Net v2.
/// </summary>
internal static class TargetSpacing
{
    private const double AnisotropyThreshold = 3;
    private const double LowPercentile = 0.10;
    private const double Margin = 1e-5;

    /// <returns>mm, <c>[z, y, x]</c>.</returns>
    public static double[] Of(DatasetFingerprint fingerprint)
    {
        double[] target = [.. Enumerable.Range(0, 3).Select(axis => fingerprint.SpacingQuantile(axis, 0.5))];
        double[] shape = [.. Enumerable.Range(0, 3).Select(fingerprint.MedianShape)];
        var worst = Array.IndexOf(target, target.Max());
        var coarsestOther = target.Where((_, axis) => axis != worst).Max();
        var fewestOther = shape.Where((_, axis) => axis != worst).Min();
        if (target[worst] > AnisotropyThreshold * coarsestOther && shape[worst] * AnisotropyThreshold < fewestOther)
        {
            var low = fingerprint.SpacingQuantile(worst, LowPercentile);
            target[worst] = low < coarsestOther ? coarsestOther + Margin : low;
        }

        return target;
    }
}

namespace FedSeg.Imaging.Normalising;

internal static class NormalisingLimits
{
    /// <summary>A standard deviation below this is taken as this, so a flat image becomes 0 and not NaN (nnU-Net v2).</summary>
    public const double SmallestDeviation = 1e-8;
}

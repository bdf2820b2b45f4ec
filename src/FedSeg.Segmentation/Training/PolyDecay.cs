namespace FedSeg.Segmentation.Training;

/// <summary>Polynomial decay of the learning rate: initial · (1 − step / total)^0.9, the step counted over the whole run. Source: nnU-Net.</summary>
internal static class PolyDecay
{
    private const double Exponent = 0.9;

    public static double At(double initial, long step, long totalSteps) => initial * Math.Pow(1 - (double)step / totalSteps, Exponent);
}

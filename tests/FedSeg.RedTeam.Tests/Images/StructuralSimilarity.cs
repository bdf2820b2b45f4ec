namespace FedSeg.RedTeam.Tests.Images;

/// <summary>
/// How much of one image is seen in another: mean SSIM (Wang et al. 2004, equation 13) over all 7×7 windows, all pixels of a window alike,
/// values from 0 to 1. 1 is the same image, 0 nothing in common.
/// </summary>
internal static class StructuralSimilarity
{
    private const int Window = 7;
    private const double C1 = 0.01 * 0.01, C2 = 0.03 * 0.03;

    public static double Of(float[] first, float[] second, int size)
    {
        var (sum, windows) = (0.0, 0);
        for (var y = 0; y + Window <= size; y++)
        {
            for (var x = 0; x + Window <= size; x++, windows++) sum += OfWindow(first, second, size, y, x);
        }

        return sum / windows;
    }

    private static double OfWindow(float[] first, float[] second, int size, int top, int left)
    {
        const int count = Window * Window;
        var (a, b, aa, bb, ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (var i = 0; i < count; i++)
        {
            var at = (top + i / Window) * size + left + i % Window;
            double u = Math.Clamp(first[at], 0, 1), v = Math.Clamp(second[at], 0, 1);
            (a, b, aa, bb, ab) = (a + u, b + v, aa + u * u, bb + v * v, ab + u * v);
        }

        var (meanA, meanB) = (a / count, b / count);
        var (varianceA, varianceB) = ((aa - a * meanA) / (count - 1), (bb - b * meanB) / (count - 1));
        var covariance = (ab - a * meanB) / (count - 1);
        return (2 * meanA * meanB + C1) * (2 * covariance + C2) / ((meanA * meanA + meanB * meanB + C1) * (varianceA + varianceB + C2));
    }
}

using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Blurs by a Gaussian, axis by axis, each with a width of its own in voxels; the edge voxel goes on outside.</summary>
internal sealed record BlurChange(double SmallestSigma, double LargestSigma) : IIntensityChange
{
    /// <summary>Widths to each side at which the Gaussian is cut off.</summary>
    private const double Reach = 4;

    public void Apply(Span<float> patch, Index3 size, Random random)
    {
        Along(patch, size.X, 1, random.Uniform(SmallestSigma, LargestSigma));
        Along(patch, size.Y, size.X, random.Uniform(SmallestSigma, LargestSigma));
        Along(patch, size.Z, size.Y * size.X, random.Uniform(SmallestSigma, LargestSigma));
    }

    /// <summary>Blurs every line of <paramref name="length"/> voxels that lie <paramref name="stride"/> apart.</summary>
    internal static void Along(Span<float> patch, int length, int stride, double sigma)
    {
        if (length == 1) return;
        var kernel = Kernel(sigma);
        var radius = kernel.Length / 2;
        var line = new float[length + 2 * radius];
        for (var first = 0; first < patch.Length; first++)
        {
            if (first / stride % length != 0) continue;
            for (var i = 0; i < line.Length; i++) line[i] = patch[first + Math.Clamp(i - radius, 0, length - 1) * stride];
            for (var i = 0; i < length; i++)
            {
                var sum = 0f;
                for (var k = 0; k < kernel.Length; k++) sum += kernel[k] * line[i + k];
                patch[first + i * stride] = sum;
            }
        }
    }

    private static float[] Kernel(double sigma)
    {
        var radius = (int)Math.Ceiling(Reach * sigma);
        double[] weights = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(x => Math.Exp(-0.5 * x * x / (sigma * sigma)))];
        var sum = weights.Sum();
        return [.. weights.Select(weight => (float)(weight / sum))];
    }
}

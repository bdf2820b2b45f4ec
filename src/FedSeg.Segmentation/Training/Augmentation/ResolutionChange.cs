using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Shows the patch as a coarser scan would have: every axis is sampled at fewer voxels, the nearest ones, and brought back linearly.</summary>
internal sealed record ResolutionChange(double SmallestZoom, double LargestZoom) : IIntensityChange
{
    public void Apply(Span<float> patch, Index3 size, Random random) => Coarsen(patch, size, random.Uniform(SmallestZoom, LargestZoom));

    /// <summary>Coarsens to a given share of the voxels of each axis. Axis by axis is the same as all at once: both steps are separable.</summary>
    internal static void Coarsen(Span<float> patch, Index3 size, double zoom)
    {
        Along(patch, size.X, 1, zoom);
        Along(patch, size.Y, size.X, zoom);
        Along(patch, size.Z, size.Y * size.X, zoom);
    }

    private static void Along(Span<float> patch, int length, int stride, double zoom)
    {
        var coarse = Math.Max(1, (int)Math.Round(length * zoom));
        if (coarse == length) return;
        var samples = new float[coarse];
        for (var first = 0; first < patch.Length; first++)
        {
            if (first / stride % length != 0) continue;
            for (var i = 0; i < coarse; i++) samples[i] = patch[first + Nearest(i, coarse, length) * stride];
            for (var i = 0; i < length; i++) patch[first + i * stride] = Between(samples, (i + 0.5) * coarse / length - 0.5);
        }
    }

    /// <summary>The voxel whose centre lies nearest to that of a coarse one.</summary>
    private static int Nearest(int i, int coarse, int length) => Math.Min(length - 1, (int)((i + 0.5) * length / coarse));

    private static float Between(float[] samples, double at)
    {
        at = Math.Clamp(at, 0, samples.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, samples.Length - 1);
        return (float)(samples[below] + (samples[above] - samples[below]) * (at - below));
    }
}

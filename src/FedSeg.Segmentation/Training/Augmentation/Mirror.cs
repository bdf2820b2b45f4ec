using System.Collections.Immutable;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Training.Augmentation;

/// <summary>Flips image and labels together along each allowed axis in half of the patches. Source: nnU-Net v2.</summary>
internal static class Mirror
{
    /// <param name="axes">Axes that may be flipped: 0 z, 1 y, 2 x.</param>
    public static void Apply(Span<float> image, Span<byte> labels, Index3 size, ImmutableArray<int> axes, Random random)
    {
        foreach (var axis in axes)
        {
            if (!random.Chance(0.5)) continue;
            Flip(image, size, axis);
            Flip(labels, size, axis);
        }
    }

    internal static void Flip<T>(Span<T> patch, Index3 size, int axis)
    {
        var (length, stride) = axis switch
        {
            0 => (size.Z, size.Y * size.X),
            1 => (size.Y, size.X),
            _ => (size.X, 1),
        };
        for (var start = 0; start < patch.Length; start += length * stride)
        {
            for (int low = 0, high = length - 1; low < high; low++, high--)
            {
                for (var i = start; i < start + stride; i++)
                {
                    (patch[i + low * stride], patch[i + high * stride]) = (patch[i + high * stride], patch[i + low * stride]);
                }
            }
        }
    }
}

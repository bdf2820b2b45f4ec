using FedSeg.Imaging.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Inference;

/// <summary>
/// Runs networks over an image of any size in overlapping windows of the training patch, half a window apart, each window weighted towards
/// its centre. An image smaller than the window is padded with the mean (0) and seen in one window. Source: nnU-Net v2.
/// Logits leave plane by plane as soon as no later window reaches them, so that only one window's height of them is ever held.
/// </summary>
internal static class SlidingWindow
{
    private const double Overlap = 0.5;
    private const double SigmaShare = 1.0 / 8;
    private const double Peak = 10;

    /// <summary>
    /// Voxels up to which two windows are answered at once: of a single one torch computes the coarse stages without oneDNN, a third slower on a
    /// CPU. Larger windows have coarse stages large enough, and their feature maps need the memory.
    /// </summary>
    private const int LargestPaired = 64 * 64 * 64;

    /// <param name="answer">
    /// What the networks say of windows <c>[N, 1, D, H, W]</c>, channels <c>[N, classes, D, H, W]</c>; taken for logits below, but any values
    /// that may be averaged will do.
    /// </param>
    /// <param name="channels">Values that they give each voxel.</param>
    /// <param name="image">The preprocessed image, of size D, H, W.</param>
    /// <param name="window">Size of a window.</param>
    /// <param name="device">Where the networks lie; windows go there two at a time.</param>
    /// <param name="takePlane">Gets the logits <c>[classes, H, W]</c> of each slice, in order, in one and the same array.</param>
    /// <param name="progress">Told the share of windows done, 0 to 1.</param>
    /// <param name="cancellationToken">Looked at before each pair of windows.</param>
    public static void Run(
        Func<Tensor, Tensor> answer,
        int channels,
        Volume image,
        Index3 window,
        Device device,
        Action<float[]> takePlane,
        Action<double>? progress,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = inference_mode();
        var size = image.Grid.Size;
        var padded = new Index3(Math.Max(size.Z, window.Z), Math.Max(size.Y, window.Y), Math.Max(size.X, window.X));
        var before = new Index3((padded.Z - size.Z) / 2, (padded.Y - size.Y) / 2, (padded.X - size.X) / 2);
        var input = Padded(as_tensor(image.Voxels).view(1, 1, size.Z, size.Y, size.X), before, padded);

        var importance = Importance(window).to(device);
        int[] zs = Starts(padded.Z, window.Z), ys = Starts(padded.Y, window.Y), xs = Starts(padded.X, window.X);
        var slab = new WindowSlab(channels, window.Z, padded, before, size, device);
        for (var row = 0; row < zs.Length; row++)
        {
            var done = row * ys.Length * xs.Length;
            foreach (var places in (from y in ys from x in xs select new Index3(zs[row], y, x)).Chunk((long)window.Z * window.Y * window.X <= LargestPaired ? 2 : 1))
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var tiles = NewDisposeScope();
                var answers = answer(cat([.. places.Select(place => Region(input, place, window))]).to(device));
                for (var i = 0; i < places.Length; i++) slab.Add(answers.select(0, i), importance, places[i].Y, places[i].X);
                done += places.Length;
                progress?.Invoke((double)done / (zs.Length * ys.Length * xs.Length));
            }

            var reached = row + 1 < zs.Length ? zs[row + 1] : padded.Z;
            for (var z = zs[row]; z < reached; z++)
            {
                if (z >= before.Z && z < before.Z + size.Z) takePlane(slab.Plane(z - zs[row]));
            }

            slab.Advance(reached - zs[row]);
        }
    }

    /// <summary>
    /// First voxels of the windows along one axis: ceil((image − window) / (window / 2)) + 1 of them, evenly spread and rounded half to
    /// even. A window of one slice, that of a 2D network, can't overlap: every slice once.
    /// </summary>
    internal static int[] Starts(int image, int window)
    {
        var travel = image - window;
        if (travel <= 0) return [0];
        var steps = window == 1 ? image : (int)Math.Ceiling(travel / (window * Overlap)) + 1;
        return [.. Enumerable.Range(0, steps).Select(i => (int)Math.Round((double)i * travel / (steps - 1)))];
    }

    /// <summary>
    /// The weight of each voxel along one axis of a window: a Gaussian of sigma = window / 8 about voxel window / 2, 1 at its peak.
    /// </summary>
    internal static double[] Importance(int window)
    {
        var sigma = window * SigmaShare;
        return [.. Enumerable.Range(0, window).Select(i => Math.Exp(-0.5 * Math.Pow((i - window / 2) / sigma, 2)))];
    }

    /// <summary>The weights of a window <c>[D, H, W]</c>, float32, 10 at the peak.</summary>
    internal static Tensor Importance(Index3 window)
    {
        double[] z = Importance(window.Z), y = Importance(window.Y), x = Importance(window.X);
        var weights = new float[window.Z * window.Y * window.X];
        var i = 0;
        foreach (var wz in z)
        {
            foreach (var wy in y)
            {
                // Never 0: with sigma = window / 8 the farthest corner still has exp(-24).
                foreach (var wx in x) weights[i++] = (float)(Peak * wz * wy * wx);
            }
        }

        return tensor(weights, [window.Z, window.Y, window.X]);
    }

    /// <summary>The image itself where it is as large as that, else a copy with zeros around.</summary>
    private static Tensor Padded(Tensor image, Index3 before, Index3 size)
    {
        var ((z, y, x), shape) = (before, image.shape);
        return shape[2] == size.Z && shape[3] == size.Y && shape[4] == size.X
            ? image
            : nn.functional.pad(image, [x, size.X - shape[4] - x, y, size.Y - shape[3] - y, z, size.Z - shape[2] - z]);
    }

    /// <summary>A view of a part of the last three axes.</summary>
    private static Tensor Region(Tensor volume, Index3 start, Index3 size)
    {
        var axis = volume.dim() - 3;
        return volume.narrow(axis, start.Z, size.Z).narrow(axis + 1, start.Y, size.Y).narrow(axis + 2, start.X, size.X);
    }
}

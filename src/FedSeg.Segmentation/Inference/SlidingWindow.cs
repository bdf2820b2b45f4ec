using FedSeg.Imaging.Volumes;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Inference;

/// <summary>
/// Runs a network over an image of any size in overlapping windows of the training patch, half a window apart, each window weighted towards its centre.
/// An image smaller than the window is padded with the mean (0) and seen in one window. Source: nnU-Net v2.
/// </summary>
internal static class SlidingWindow
{
    private const double Overlap = 0.5;
    private const double SigmaShare = 1.0 / 8;
    private const double Peak = 10;

    /// <summary>Logits <c>[classes, D, H, W]</c>, float32, on the CPU, for a preprocessed image of size D, H, W.</summary>
    public static Tensor Logits(Module<Tensor, Tensor> network, Volume image, Index3 window, Device device, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = inference_mode();
        network.eval();

        var size = image.Grid.Size;
        var padded = new Index3(Math.Max(size.Z, window.Z), Math.Max(size.Y, window.Y), Math.Max(size.X, window.X));
        var before = new Index3((padded.Z - size.Z) / 2, (padded.Y - size.Y) / 2, (padded.X - size.X) / 2);
        var input = zeros([1, 1, padded.Z, padded.Y, padded.X]);
        Region(input, before, size).copy_(tensor(image.Voxels, [1, 1, size.Z, size.Y, size.X]));

        var importance = Importance(window);
        Tensor? sum = null;
        var weights = zeros([padded.Z, padded.Y, padded.X]);
        foreach (var start in Starts(padded, window))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var tile = NewDisposeScope();
            var logits = network.forward(Region(input, start, window).to(device)).cpu();
            sum ??= zeros([1, logits.shape[1], padded.Z, padded.Y, padded.X]).MoveToOtherDisposeScope(scope);
            Region(sum, start, window).add_(logits * importance, LastingScalars.One);
            Region(weights, start, window).add_(importance, LastingScalars.One);
        }

        return Region(sum!.div_(weights), before, size).squeeze(0).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// First voxels of the windows along one axis: ceil((image − window) / (window / 2)) + 1 of them, evenly spread and rounded half to even. A window of one
    /// slice, that of a 2D network, can't overlap: every slice once.
    /// </summary>
    internal static int[] Starts(int image, int window)
    {
        var travel = image - window;
        if (travel <= 0) return [0];
        var steps = window == 1 ? image : (int)Math.Ceiling(travel / (window * Overlap)) + 1;
        return [.. Enumerable.Range(0, steps).Select(i => (int)Math.Round((double)i * travel / (steps - 1)))];
    }

    /// <summary>The weight of each voxel along one axis of a window: a Gaussian of sigma = window / 8 about voxel window / 2, 1 at its peak.</summary>
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

    private static IEnumerable<Index3> Starts(Index3 image, Index3 window) =>
        from z in Starts(image.Z, window.Z)
        from y in Starts(image.Y, window.Y)
        from x in Starts(image.X, window.X)
        select new Index3(z, y, x);

    /// <summary>A view of a part of the last three axes.</summary>
    private static Tensor Region(Tensor volume, Index3 start, Index3 size)
    {
        var axis = volume.dim() - 3;
        return volume.narrow(axis, start.Z, size.Z).narrow(axis + 1, start.Y, size.Y).narrow(axis + 2, start.X, size.X);
    }
}

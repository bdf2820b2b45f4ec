using FedSeg.Imaging.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Explanation;

/// <summary>
/// How much a region's score falls when a block of the image is hidden: what a person would try. No gradient, so nothing it could miss by
/// saturation; one pass through the network a block. Zeiler and Fergus, ECCV 2014.
/// </summary>
internal static class Occlusion
{
    /// <param name="network">From an input <c>[1, 1, D, H, W]</c> to logits.</param>
    /// <param name="window">The input.</param>
    /// <param name="score">Of logits; what falls.</param>
    /// <param name="block">Size of a block; blocks lie side by side, the last ones cut at the border.</param>
    /// <param name="fill">What hides a block, in the input's unit; 0 is the mean of a normalised image.</param>
    /// <param name="cancellationToken">Looked at before each block.</param>
    /// <returns><c>[D, H, W]</c> in memory order: at each voxel the fall of the score with its block, below 0 where it rose.</returns>
    public static float[] Map(
        Func<Tensor, Tensor> network,
        Tensor window,
        Func<Tensor, double> score,
        Index3 block,
        double fill,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var before = score(network(window));
        var size = new Index3((int)window.shape[2], (int)window.shape[3], (int)window.shape[4]);
        var map = new float[size.Z * size.Y * size.X];
        using Scalar hidden = fill;
        for (var z = 0; z < size.Z; z += block.Z)
        {
            for (var y = 0; y < size.Y; y += block.Y)
            {
                for (var x = 0; x < size.X; x += block.X)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    using var passing = NewDisposeScope();
                    var extent = new Index3(Math.Min(block.Z, size.Z - z), Math.Min(block.Y, size.Y - y), Math.Min(block.X, size.X - x));
                    var occluded = window.clone();
                    occluded.narrow(2, z, extent.Z).narrow(3, y, extent.Y).narrow(4, x, extent.X).fill_(hidden);
                    Fill(map, size, new Index3(z, y, x), extent, (float)(before - score(network(occluded))));
                }
            }
        }

        return map;
    }

    private static void Fill(float[] map, Index3 size, Index3 start, Index3 extent, float value)
    {
        for (var z = start.Z; z < start.Z + extent.Z; z++)
        {
            for (var y = start.Y; y < start.Y + extent.Y; y++)
            {
                map.AsSpan((z * size.Y + y) * size.X + start.X, extent.X).Fill(value);
            }
        }
    }
}

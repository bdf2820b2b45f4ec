using FedSeg.Imaging.Volumes;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Inference;

/// <summary>
/// The slices that the present row of windows covers: weighted sums of logits and of weights, moved along as the rows go up. Its tensors
/// belong to the dispose scope in which it is made. That is best done before the first window, or they would lie where the next one's feature
/// maps need the room.
/// </summary>
/// <param name="classes">Values a voxel.</param>
/// <param name="height">Slices of a window.</param>
/// <param name="image">Size of the image with its padding.</param>
/// <param name="before">Padding before the image.</param>
/// <param name="size">Size of the image without it.</param>
/// <param name="device">Where the networks lie.</param>
internal sealed class WindowSlab(int classes, int height, Index3 image, Index3 before, Index3 size, Device device)
{
    private readonly Tensor _weights = zeros([height, image.Y, image.X], device: device);
    private readonly Tensor _sums = zeros([classes, height, image.Y, image.X], device: device);

    // One for all slices: a new one each would be garbage by the hundred megabytes before the collector looks.
    private readonly float[] _plane = new float[classes * size.Y * size.X];

    /// <summary>Adds a window's logits <c>[classes, D, H, W]</c> at a row and column.</summary>
    public void Add(Tensor logits, Tensor importance, int y, int x)
    {
        Under(_sums).add_(logits.mul_(importance), LastingScalars.One);
        Under(_weights).add_(importance, LastingScalars.One);

        Tensor Under(Tensor slab) => slab.narrow(-2, y, importance.shape[1]).narrow(-1, x, importance.shape[2]);
    }

    /// <summary>Mean logits <c>[classes, H, W]</c> of a slice, cut to the image without its padding; good until the next call.</summary>
    public float[] Plane(int slice)
    {
        using var passing = NewDisposeScope();
        var mean = _sums.select(1, slice).div(_weights.select(0, slice));
        mean.narrow(1, before.Y, size.Y).narrow(2, before.X, size.X).contiguous().cpu().data<float>().CopyTo(_plane);
        return _plane;
    }

    /// <summary>Forgets the lowest slices and makes room for as many above.</summary>
    public void Advance(int slices)
    {
        using var passing = NewDisposeScope();
        Shift(_sums, axis: 1, slices);
        Shift(_weights, axis: 0, slices);
    }

    private void Shift(Tensor slab, int axis, int slices)
    {
        var kept = height - slices;
        if (kept > 0) slab.narrow(axis, 0, kept).copy_(slab.narrow(axis, slices, kept).clone());
        slab.narrow(axis, kept, slices).zero_();
    }
}

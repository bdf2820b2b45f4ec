using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>Patches for one step, in ordinary memory so that another thread can assemble them.</summary>
/// <param name="Images"><c>[N, 1, D, H, W]</c>, normalised and augmented.</param>
/// <param name="Labels"><c>[N, D, H, W]</c>, classes.</param>
/// <param name="Count">N.</param>
/// <param name="Size">D, H, W.</param>
internal sealed record PatchBatch(float[] Images, byte[] Labels, int Count, (int Z, int Y, int X) Size)
{
    /// <summary>Of each sample, the classes that nobody drew; <see langword="null"/> where every class is drawn in all of them.</summary>
    public IReadOnlyList<IReadOnlyList<byte>>? Undrawn { get; init; }

    /// <summary><c>[N, classes]</c>, 1 where a class is drawn and 0 where it is not; <see langword="null"/> where all are.</summary>
    public Tensor? Drawn(long classes, Device device)
    {
        if (Undrawn is null) return null;
        var drawn = Enumerable.Repeat(1f, checked((int)(Count * classes))).ToArray();
        for (var i = 0; i < Count; i++)
        {
            foreach (var label in Undrawn[i]) drawn[i * classes + label] = 0;
        }

        return Send(tensor(drawn, [Count, classes]), device);
    }

    /// <summary>The network's input and the loss's target (int64), on the device.</summary>
    public (Tensor Images, Tensor Labels) ToTensors(Device device)
    {
        var images = Send(tensor(Images, [Count, 1, Size.Z, Size.Y, Size.X]), device);
        var labels = Send(tensor(Labels, [Count, Size.Z, Size.Y, Size.X]), device).to(ScalarType.Int64);
        return (images, labels);
    }

    /// <summary>A GPU fetches from pinned memory when its queue comes to it; from ordinary memory the copy would wait until the queue is empty.</summary>
    private static Tensor Send(Tensor values, Device device) =>
        device.type == DeviceType.CUDA ? values.pin_memory().to(device, non_blocking: true) : values;
}

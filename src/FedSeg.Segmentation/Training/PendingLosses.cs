using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// Losses of steps that the device may not have computed yet. To read one is to wait for the device, which meanwhile gets no new work; so
/// they are read in bunches. Kept out of the caller's dispose scope.
/// </summary>
/// <param name="bunch">Losses to a bunch; 1 on a CPU, which computes before it answers anyway.</param>
internal sealed class PendingLosses(int bunch) : IDisposable
{
    private readonly List<Tensor> _losses = [];

    /// <summary>Steps whose losses a GPU is asked for at once.</summary>
    public const int BunchOnGpu = 10;

    /// <summary>Whether the bunch is complete.</summary>
    public bool IsFull => _losses.Count >= bunch;

    public static PendingLosses On(Device device) => new(device.type == TorchSharp.DeviceType.CUDA ? BunchOnGpu : 1);

    /// <summary>Takes the loss of a step, a scalar.</summary>
    public void Add(Tensor loss) => _losses.Add(loss.detach().DetachFromDisposeScope());

    /// <summary>The losses since the last time, in the order of their steps; waits for the device once.</summary>
    public float[] Take()
    {
        using var scope = NewDisposeScope();
        var values = stack(_losses).cpu().data<float>().ToArray();
        Dispose();
        return values;
    }

    public void Dispose()
    {
        foreach (var loss in _losses) loss.Dispose();
        _losses.Clear();
    }
}

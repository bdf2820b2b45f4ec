using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Networks;

/// <summary>Chooses where to compute, by the words a person writes.</summary>
public static class ComputeDevice
{
    /// <summary><c>auto</c> (the first GPU if there is one, else the CPU), <c>cpu</c> or <c>cuda:N</c>; also sets the CPU threads torch uses in this process.</summary>
    /// <exception cref="ArgumentException">The words are none of these, or there is no such GPU.</exception>
    public static Device Choose(string device, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        set_num_threads(threads);
        switch (device)
        {
            case "cpu":
                return CPU;
            case "auto":
                return cuda.is_available() ? new Device(DeviceType.CUDA, 0) : CPU;
            case ['c', 'u', 'd', 'a', ':', .. var digits] when int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index):
                var present = cuda.is_available() ? cuda.device_count() : 0;
                return index < present
                    ? new Device(DeviceType.CUDA, index)
                    : throw new ArgumentException($"device '{device}' is not there: this process sees {present} CUDA devices; use auto or cpu, or build with -p:TorchBackend=cuda");
            default:
                throw new ArgumentException($"device '{device}' is not one of auto, cpu, cuda:N");
        }
    }
}

using FedSeg.Federation.Architectures;
using FedSeg.Segmentation.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Explanation;

/// <summary>
/// A network that knows nothing: the weights of another, each tensor's in random places, so that their sizes stay plausible.
/// </summary>
internal static class ShuffledWeights
{
    /// <param name="network">The network whose weights are taken.</param>
    /// <param name="architecture">Its architecture.</param>
    /// <param name="device">Where the new one goes; the caller disposes it.</param>
    /// <param name="seed">Seeds the places.</param>
    public static UNet Of(UNet network, ArchitectureSpec architecture, Device device, int seed)
    {
        var shuffled = NetworkFactory.Create(architecture);
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var random = new Random(seed);
        foreach (var (from, to) in network.parameters().Zip(shuffled.parameters()))
        {
            var values = from.detach().cpu().contiguous().data<float>().ToArray();
            random.Shuffle(values);
            to.copy_(tensor(values, from.shape));
        }

        shuffled.eval();
        return shuffled.to(device);
    }
}

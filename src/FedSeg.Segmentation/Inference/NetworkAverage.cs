using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Inference;

/// <summary>
/// Logits averaged over several networks of the same classes and over mirror images of the input: each network sees the window flipped
/// along every subset of the mirrored axes, and its answer is flipped back. Source: nnU-Net v2.
/// </summary>
internal sealed class NetworkAverage
{
    private readonly IReadOnlyList<Module<Tensor, Tensor>> _networks;
    private readonly List<long[]> _flips;

    /// <param name="networks">At least one; they stay the caller's.</param>
    /// <param name="mirroredAxes">Axes of an image that may be flipped, 0 z, 1 y, 2 x; none for the plain prediction.</param>
    public NetworkAverage(IReadOnlyList<Module<Tensor, Tensor>> networks, IReadOnlyList<int> mirroredAxes)
    {
        ArgumentOutOfRangeException.ThrowIfZero(networks.Count, nameof(networks));
        _networks = networks;
        _flips = Subsets(mirroredAxes);
        foreach (var network in networks) network.eval();
    }

    /// <summary>Logits <c>[1, classes, D, H, W]</c> of a window <c>[1, 1, D, H, W]</c>.</summary>
    public Tensor Logits(Tensor window)
    {
        Tensor? sum = null;
        foreach (var network in _networks)
        {
            foreach (var axes in _flips)
            {
                var logits = axes.Length == 0 ? network.forward(window) : network.forward(window.flip(axes)).flip(axes);
                sum = sum is null ? logits : sum.add_(logits, LastingScalars.One);
            }
        }

        var count = _networks.Count * _flips.Count;
        if (count == 1) return sum!;
        using Scalar share = 1.0 / count;
        return sum!.mul_(share);
    }

    /// <summary>Every subset of the axes as tensor dimensions behind batch and channel; the empty one first.</summary>
    private static List<long[]> Subsets(IReadOnlyList<int> axes) =>
    [
        .. Enumerable.Range(0, 1 << axes.Count)
            .Select(bits => axes.Where((_, i) => (bits >> i & 1) == 1).Select(axis => axis + 2L).ToArray()),
    ];
}

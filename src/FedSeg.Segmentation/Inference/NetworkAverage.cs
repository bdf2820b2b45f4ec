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
        : this(networks, Subsets(mirroredAxes))
    {
    }

    private NetworkAverage(IReadOnlyList<Module<Tensor, Tensor>> networks, List<long[]> flips)
    {
        ArgumentOutOfRangeException.ThrowIfZero(networks.Count, nameof(networks));
        _networks = networks;
        _flips = flips;
        foreach (var network in networks) network.eval();
    }

    /// <summary>
    /// Those whose disagreement says something: each network by itself with all its mirror images, or each mirror image of an only network.
    /// </summary>
    public IReadOnlyList<NetworkAverage> Members() => _networks.Count > 1
        ? [.. _networks.Select(network => new NetworkAverage([network], _flips))]
        : [.. _flips.Select(axes => new NetworkAverage(_networks, [axes]))];

    /// <summary>Logits <c>[N, classes, D, H, W]</c> of windows <c>[N, 1, D, H, W]</c>.</summary>
    public Tensor Logits(Tensor windows) => Mean(Votes(windows));

    /// <summary>
    /// What all say of windows, <c>[N, classes + 1, D, H, W]</c>: the mean of their probabilities of each class, and behind these the mean of
    /// their own entropies, nats.
    /// </summary>
    public Tensor Opinions(Tensor windows) => Mean(Votes(windows).Select(Opinion));

    private static Tensor Opinion(Tensor vote)
    {
        using var logits = vote;
        using var passing = NewDisposeScope();
        var logarithms = logits.log_softmax(1);
        var probabilities = logarithms.exp();
        return cat([probabilities, probabilities.mul(logarithms).sum(1, keepdim: true).neg_()], dim: 1).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of every network on every mirror image, flipped back; one after the other, so that only one pass is in memory at a time.</summary>
    private IEnumerable<Tensor> Votes(Tensor windows) =>
        from network in _networks
        from axes in _flips
        select Vote(network, windows, axes);

    private static Tensor Vote(Module<Tensor, Tensor> network, Tensor windows, long[] axes)
    {
        using var passing = NewDisposeScope();
        var logits = axes.Length == 0 ? network.forward(windows) : network.forward(windows.flip(axes)).flip(axes);
        return logits.MoveToOuterDisposeScope();
    }

    private Tensor Mean(IEnumerable<Tensor> votes)
    {
        using var passing = NewDisposeScope();
        Tensor? sum = null;
        foreach (var vote in votes)
        {
            if (sum is null) sum = vote;
            else using (vote) sum.add_(vote, LastingScalars.One);
        }

        var count = _networks.Count * _flips.Count;
        if (count > 1)
        {
            using Scalar share = 1.0 / count;
            sum!.mul_(share);
        }

        return sum!.MoveToOuterDisposeScope();
    }

    /// <summary>Every subset of the axes as tensor dimensions behind batch and channel; the empty one first.</summary>
    private static List<long[]> Subsets(IReadOnlyList<int> axes) =>
    [
        .. Enumerable.Range(0, 1 << axes.Count)
            .Select(bits => axes.Where((_, i) => (bits >> i & 1) == 1).Select(axis => axis + 2L).ToArray()),
    ];
}

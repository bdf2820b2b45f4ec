using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// The gradient of strength / 2 ‖w − anchor‖²: draws weights back to where they were when this was made. FedProx draws the site's copy to the global model, Ditto the
/// personal one.
/// </summary>
internal sealed class ProximalTerm : IGradientTerm
{
    private readonly IReadOnlyList<(NamedWeights Weights, Tensor Anchor)> _anchored;
    private readonly Scalar _strength;
    private readonly Scalar _opposite;

    /// <param name="strength">µ or λ.</param>
    /// <param name="anchored">Weights and the anchors they are drawn to; the anchors are disposed with this.</param>
    public ProximalTerm(double strength, IReadOnlyList<(NamedWeights Weights, Tensor Anchor)> anchored)
    {
        _anchored = anchored;
        _strength = strength;
        _opposite = -strength;
    }

    public IEnumerable<(string Name, Tensor Values)> History => [];

    public void Add()
    {
        using var withoutGradient = no_grad();
        foreach (var (weights, anchor) in _anchored)
        {
            if (weights.Values.grad is { } gradient) gradient.add_(weights.Values, _strength).add_(anchor, _opposite);
        }
    }

    public void Dispose()
    {
        foreach (var (_, anchor) in _anchored) anchor.Dispose();
        _strength.Dispose();
        _opposite.Dispose();
    }
}

using FedSeg.Federation.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>A tensor of a network under its name in the manifest.</summary>
internal sealed record NamedWeights(string Name, Parameter Values)
{
    /// <summary>All of a network, in manifest order.</summary>
    public static IReadOnlyList<NamedWeights> Of(nn.Module network) =>
        [.. network.named_parameters().Select(entry => new NamedWeights(entry.name, entry.parameter))];

    /// <summary>Those that rules let a site train; the others no longer ask for a gradient.</summary>
    public static IReadOnlyList<NamedWeights> Trained(nn.Module network, TensorRules rules)
    {
        var all = Of(network);
        foreach (var frozen in all.Where(weights => rules.Of(weights.Name) == TensorPolicy.TakeLatest)) frozen.Values.requires_grad_(false);
        return [.. all.Where(weights => weights.Values.requires_grad)];
    }

    /// <summary>A copy of the present values that outlives every dispose scope; the caller disposes it.</summary>
    public Tensor Copy()
    {
        using var withoutGradient = no_grad();
        return Values.detach().clone().DetachFromDisposeScope();
    }

    /// <summary>As <see cref="Copy"/>, filled with zeros.</summary>
    public Tensor Zeros() => zeros_like(Values, requires_grad: false).DetachFromDisposeScope();
}

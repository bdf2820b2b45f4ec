using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>A site's own side of SCAFFOLD: its control variate cᵢ, zero before its first round, and what a round makes of it.</summary>
internal sealed class OwnControl : IDisposable
{
    private readonly IReadOnlyList<NamedWeights> _weights;
    private readonly Tensor[] _own;
    private readonly SiteState _state;

    private OwnControl(IReadOnlyList<NamedWeights> weights, Tensor[] own, ControlVariateTerm term, SiteState state)
    {
        _weights = weights;
        _own = own;
        Term = term;
        _state = state;
    }

    /// <summary>Corrects the gradients of the round.</summary>
    public ControlVariateTerm Term { get; }

    /// <summary>Reads cᵢ as the site's last round whose update arrived left it, and c as the coordinator sent it.</summary>
    /// <param name="network">The site's copy of the model.</param>
    /// <param name="rules">What of it is averaged: only that is corrected.</param>
    /// <param name="state">Where the site keeps it.</param>
    /// <param name="federation">The file of c; <see langword="null"/> for zero.</param>
    public static OwnControl Open(nn.Module network, TensorRules rules, SiteState state, string? federation)
    {
        IReadOnlyList<NamedWeights> weights = [.. NamedWeights.Of(network).Where(entry => rules.Of(entry.Name) == TensorPolicy.Average)];
        Tensor[] own = [.. weights.Select(entry => entry.Zeros())];
        if (state.FindEarlier(OwnControlFiles.Part) is { } path) TensorFile.Read(path, Named(weights, own));
        return new OwnControl(weights, own, new ControlVariateTerm(weights, Corrections(weights, own, federation)), state);
    }

    /// <summary>Makes the round's mean gradient the site's new cᵢ, which counts once the update has arrived (<see cref="OwnControlFiles"/>).</summary>
    /// <returns>Its change, tensor by tensor; the caller disposes them.</returns>
    public Tensor[] Advance(int steps)
    {
        var next = Term.MeanGradients(steps);
        TensorFile.Write(_state.PathOf(OwnControlFiles.UnsentPart), Named(_weights, next));
        // next is not needed any more, so its tensors carry the change.
        foreach (var (value, before) in next.Zip(_own)) value.add_(before, LastingScalars.MinusOne);
        return next;
    }

    public void Dispose()
    {
        Term.Dispose();
        foreach (var tensor in _own) tensor.Dispose();
    }

    private static Tensor[] Corrections(IReadOnlyList<NamedWeights> weights, Tensor[] own, string? federation)
    {
        using var file = federation is null ? null : SafetensorsFile.Open(federation);
        using var scope = NewDisposeScope();
        return [.. weights.Zip(own, (entry, control) =>
        {
            var mean = file is null ? entry.Zeros() : tensor(file.ReadAll(entry.Name), entry.Values.shape).to(entry.Values.device).DetachFromDisposeScope();
            return mean.add_(control, LastingScalars.MinusOne);
        })];
    }

    private static List<(string, Tensor)> Named(IReadOnlyList<NamedWeights> weights, Tensor[] values) =>
        [.. weights.Zip(values, (entry, value) => (entry.Name, value))];
}

using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Training;

/// <summary>
/// SCAFFOLD's correction c − cᵢ, and the mean of the gradients before it: the site's next cᵢ. With plain SGD that mean is cᵢ − c + (x − yᵢ) / (K η), the paper's option
/// II (Karimireddy et al. 2020, equation 4).
/// </summary>
internal sealed class ControlVariateTerm : IGradientTerm
{
    private readonly IReadOnlyList<NamedWeights> _weights;
    private readonly Tensor[] _correction;
    private readonly Tensor[] _sum;

    /// <param name="weights">What is averaged.</param>
    /// <param name="correction">c − cᵢ of each; disposed with this.</param>
    public ControlVariateTerm(IReadOnlyList<NamedWeights> weights, Tensor[] correction)
    {
        _weights = weights;
        _correction = correction;
        _sum = [.. weights.Select(entry => entry.Zeros())];
    }

    public IEnumerable<(string Name, Tensor Values)> History => _weights.Select((entry, i) => ("gradients." + entry.Name, _sum[i]));

    public void Add()
    {
        using var withoutGradient = no_grad();
        for (var i = 0; i < _weights.Count; i++)
        {
            if (_weights[i].Values.grad is not { } gradient) continue;
            _sum[i].add_(gradient, LastingScalars.One);
            gradient.add_(_correction[i], LastingScalars.One);
        }
    }

    /// <summary>The mean gradient of each tensor over so many steps, in order; the caller disposes them.</summary>
    public Tensor[] MeanGradients(int steps)
    {
        using Scalar share = 1.0 / steps;
        return [.. _sum.Select(sum => sum.mul(share).DetachFromDisposeScope())];
    }

    public void Dispose()
    {
        foreach (var tensor in _correction.Concat(_sum)) tensor.Dispose();
    }
}

using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Inversion;

/// <summary>First weights that are the same on every machine.</summary>
internal static class Uniform
{
    /// <summary>Draws every weight uniformly between ±a width.</summary>
    /// <param name="network">What to fill.</param>
    /// <param name="chance">The draws.</param>
    /// <param name="width">The width for a layer of so many inputs.</param>
    public static void Fill(nn.Module network, Random chance, Func<long, double> width)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var last = 1.0;
        foreach (var parameter in network.parameters())
        {
            // A bias has the width of the weights before it.
            if (parameter.dim() > 1) last = width(parameter.numel() / parameter.shape[0]);
            var half = last;
            parameter.copy_(tensor([.. Enumerable.Range(0, (int)parameter.numel()).Select(_ => half * (2 * chance.NextDouble() - 1))],
                parameter.shape));
        }
    }
}

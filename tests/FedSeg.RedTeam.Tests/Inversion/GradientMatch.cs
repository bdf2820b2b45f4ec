using FedSeg.Segmentation;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.RedTeam.Tests.Inversion;

/// <summary>
/// How unlike the gradient of a guessed image is to an observed update: minus the cosine over all weights together (Geiping et al. 2020,
/// "Inverting gradients", equation 4, without its total variation). The update's length says nothing then, so clipping alone hides nothing.
/// </summary>
internal sealed class GradientMatch : IDisposable
{
    private readonly Victim _victim;
    private readonly Tensor[] _observed;

    public GradientMatch(Victim victim, float[] update)
    {
        _victim = victim;
        var norm = Math.Sqrt(update.Sum(value => (double)value * value));
        using var scope = NewDisposeScope();
        _observed = [.. victim.Cut([.. update.Select(value => (float)(value / norm))]).Select(part => part.DetachFromDisposeScope())];
    }

    public int Pixels => _victim.Size * _victim.Size;

    /// <summary>Minus the cosine, −1 where both point the same way, and its gradient by every pixel.</summary>
    public (double Value, double[] Slope) At(double[] pixels)
    {
        using var scope = NewDisposeScope();
        using var image = tensor(pixels, [1, 1, _victim.Size, _victim.Size], requires_grad: true);
        var gradients = _victim.Gradients(image, further: true);
        var product = zeros([], dtype: ScalarType.Float64);
        var squares = zeros([], dtype: ScalarType.Float64);
        foreach (var (gradient, observed) in gradients.Zip(_observed))
        {
            product = product.Plus((gradient * observed).sum());
            squares = squares.Plus(gradient.square().sum());
        }

        var distance = (product / squares.sqrt()).neg();
        var slope = autograd.grad([distance], [image])[0];
        return (distance.item<double>(), slope.data<double>().ToArray());
    }

    public void Dispose()
    {
        foreach (var part in _observed) part.Dispose();
    }
}

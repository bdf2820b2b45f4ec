using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.RedTeam.Tests.Inversion;

/// <summary>
/// The network that gradient inversion was first shown on (Zhu et al. 2019, "Deep leakage from gradients"): sigmoids, strides, one linear
/// layer. 11 000 weights from uniform −0.5 to 0.5, as there. Input <c>[N, 1, 32, 32]</c>, output <c>[N, 4]</c>.
/// </summary>
internal sealed class LeNet : Module<Tensor, Tensor>
{
    private const int Features = 12, Classes = 4;

    private readonly Module<Tensor, Tensor>[] _convolutions = [Convolution(1, 2), Convolution(Features, 2), Convolution(Features, 1)];
    private readonly Module<Tensor, Tensor> _last = Linear(Features * 8 * 8, Classes, dtype: ScalarType.Float64);

    public LeNet(int seed)
        : base("lenet")
    {
        for (var i = 0; i < _convolutions.Length; i++) register_module($"conv{i}", _convolutions[i]);
        register_module("last", _last);
        Uniform.Fill(this, new Random(seed), _ => 0.5);
    }

    public override Tensor forward(Tensor image)
    {
        foreach (var convolution in _convolutions) image = convolution.forward(image).sigmoid();
        return _last.forward(image.flatten(1));
    }

    private static Module<Tensor, Tensor> Convolution(int input, int stride) =>
        Conv2d(input, Features, kernel_size: 5, stride: stride, padding: 2, dtype: ScalarType.Float64);
}

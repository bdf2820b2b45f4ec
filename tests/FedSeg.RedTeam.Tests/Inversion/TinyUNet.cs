using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.RedTeam.Tests.Inversion;

/// <summary>
/// A U-Net made easy to attack: two resolutions, smooth activations (SiLU), no norm, no dropout. Input <c>[N, 1, 16, 16]</c>, output <c>[N,
/// 2, 16, 16]</c>, logits.
/// </summary>
internal sealed class TinyUNet : Module<Tensor, Tensor>
{
    private const int Fine = 16, Coarse = 32, Coarsest = 64;

    private readonly Module<Tensor, Tensor>[] _down, _up;
    private readonly Module<Tensor, Tensor> _head = Conv2d(Fine, 2, kernel_size: 1, dtype: ScalarType.Float64);

    public TinyUNet(int seed)
        : base("tiny-unet")
    {
        _down = [Convolution(1, Fine), Convolution(Fine, Fine), Convolution(Fine, Coarse), Convolution(Coarse, Coarse),
            Convolution(Coarse, Coarsest)];
        _up = [Convolution(Coarsest + Coarse, Coarse), Convolution(Coarse + Fine, Fine)];
        for (var i = 0; i < _down.Length; i++) register_module($"down{i}", _down[i]);
        for (var i = 0; i < _up.Length; i++) register_module($"up{i}", _up[i]);
        register_module("head", _head);
        Uniform.Fill(this, new Random(seed), inputs => Math.Sqrt(3.0 / inputs));
    }

    public override Tensor forward(Tensor image)
    {
        var fine = functional.silu(_down[1].forward(functional.silu(_down[0].forward(image))));
        var coarse = functional.silu(_down[3].forward(functional.silu(_down[2].forward(functional.avg_pool2d(fine, 2)))));
        var coarsest = functional.silu(_down[4].forward(functional.avg_pool2d(coarse, 2)));
        coarse = functional.silu(_up[0].forward(cat([Doubled(coarsest), coarse], dim: 1)));
        return _head.forward(functional.silu(_up[1].forward(cat([Doubled(coarse), fine], dim: 1))));
    }

    private static Tensor Doubled(Tensor map) => map.repeat_interleave(2, dim: 2).repeat_interleave(2, dim: 3);

    private static Module<Tensor, Tensor> Convolution(int input, int output) =>
        Conv2d(input, output, kernel_size: 3, padding: 1, dtype: ScalarType.Float64);
}

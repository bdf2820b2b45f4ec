using FedSeg.Federation.Architectures;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Networks;

/// <summary>
/// Undoes the coarser stage's stride by a transposed convolution, puts the skip behind it along the channels, then convolves.
/// </summary>
internal sealed class DecoderStage : Module<Tensor, Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> _up;
    private readonly List<NormalisedConvolution> _convolutions = [];

    public DecoderStage(NetworkStage coarse, NetworkStage fine, int convolutions)
        : base("stage")
    {
        (long, long, long) stride = (coarse.Stride[0], coarse.Stride[1], coarse.Stride[2]);
        _up = ConvTranspose3d(coarse.Features, fine.Features, kernel_size: stride, stride: stride);
        register_module("up", _up);
        for (var i = 0; i < convolutions; i++)
        {
            _convolutions.Add(new NormalisedConvolution(i == 0 ? 2 * fine.Features : fine.Features, fine.Features, fine.Kernel, [1, 1, 1]));
            register_module($"{i}", _convolutions[i]);
        }
    }

    public override Tensor forward(Tensor coarse, Tensor skip)
    {
        var features = Joined(coarse, skip);
        foreach (var convolution in _convolutions)
        {
            using var input = features;
            features = convolution.forward(input);
        }

        return features;
    }

    private Tensor Joined(Tensor coarse, Tensor skip)
    {
        using var fine = _up.forward(coarse);
        return cat([fine, skip], dim: 1);
    }
}

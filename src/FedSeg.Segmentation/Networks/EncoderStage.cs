using FedSeg.Federation.Architectures;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Networks;

/// <summary>One resolution of an encoder: convolutions or residual blocks, the first of which may stride.</summary>
internal sealed class EncoderStage : Module<Tensor, Tensor>
{
    private static readonly int[] NoStride = [1, 1, 1];

    private readonly List<Module<Tensor, Tensor>> _blocks = [];

    public EncoderStage(int input, NetworkStage stage, bool residual)
        : base("stage")
    {
        for (var i = 0; i < stage.Blocks; i++)
        {
            IReadOnlyList<int> stride = i == 0 ? stage.Stride : NoStride;
            _blocks.Add(residual
                ? new ResidualBlock(input, stage.Features, stage.Kernel, stride)
                : new NormalisedConvolution(input, stage.Features, stage.Kernel, stride));
            register_module($"{i}", _blocks[i]);
            input = stage.Features;
        }
    }

    public override Tensor forward(Tensor features)
    {
        using var passing = NewDisposeScope();
        foreach (var block in _blocks) features = block.forward(features);
        return features.MoveToOuterDisposeScope();
    }
}

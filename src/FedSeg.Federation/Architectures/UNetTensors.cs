using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// The weights of the U-Nets, in file order: encoder from the finest stage down, decoder back up, heads from the finest. Every convolution
/// but a skip's has a bias and an instance norm; transposed convolutions of kernel = stride go up and skips are concatenated (Çiçek et al.
/// 2016; Isensee et al. 2021). A residual encoder has a stem convolution, then blocks of two convolutions with a skip around them that is
/// averaged down where the block strides and projected by a 1×1×1 convolution where the features change (He et al. 2016 and 2019,
/// ResNet-D).
/// </summary>
internal static class UNetTensors
{
    private static readonly int[] Pointwise = [1, 1, 1];

    public static IEnumerable<TensorSpec> Of(ArchitectureSpec spec)
    {
        var topology = ArchitectureCatalog.Topology(spec);
        var encoder = spec.Name == ArchitectureCatalog.ResidualEncoderUNet ? ResidualEncoder(spec, topology) : PlainEncoder(spec, topology);
        return [.. encoder, .. Decoder(topology), .. Heads(spec, topology)];
    }

    private static IEnumerable<TensorSpec> PlainEncoder(ArchitectureSpec spec, NetworkTopology topology)
    {
        var input = spec.InputChannels;
        for (var level = 0; level < topology.Stages.Length; level++)
        {
            var stage = topology.Stages[level];
            for (var i = 0; i < stage.Blocks; i++)
            {
                foreach (var tensor in NormalisedConvolution($"encoder.{level}.{i}", input, stage.Features, stage.Kernel))
                {
                    yield return tensor;
                }

                input = stage.Features;
            }
        }
    }

    private static IEnumerable<TensorSpec> ResidualEncoder(ArchitectureSpec spec, NetworkTopology topology)
    {
        var input = topology.Stages[0].Features;
        foreach (var tensor in NormalisedConvolution("encoder.stem", spec.InputChannels, input, topology.Stages[0].Kernel))
        {
            yield return tensor;
        }

        for (var level = 0; level < topology.Stages.Length; level++)
        {
            var stage = topology.Stages[level];
            for (var i = 0; i < stage.Blocks; i++)
            {
                foreach (var tensor in ResidualBlock($"encoder.{level}.{i}", input, stage)) yield return tensor;
                input = stage.Features;
            }
        }
    }

    private static IEnumerable<TensorSpec> ResidualBlock(string name, int input, NetworkStage stage)
    {
        foreach (var tensor in NormalisedConvolution($"{name}.first", input, stage.Features, stage.Kernel)) yield return tensor;
        foreach (var tensor in NormalisedConvolution($"{name}.second", stage.Features, stage.Features, stage.Kernel)) yield return tensor;
        if (input == stage.Features) yield break;
        foreach (var tensor in NormalisedConvolution($"{name}.skip", input, stage.Features, Pointwise, bias: false)) yield return tensor;
    }

    private static IEnumerable<TensorSpec> Decoder(NetworkTopology topology)
    {
        for (var level = topology.Stages.Length - 2; level >= 0; level--)
        {
            var (fine, coarse) = (topology.Stages[level], topology.Stages[level + 1]);
            yield return new TensorSpec($"decoder.{level}.up.weight", [coarse.Features, fine.Features, .. coarse.Stride]);
            yield return new TensorSpec($"decoder.{level}.up.bias", [fine.Features]);
            for (var i = 0; i < topology.DecoderConvolutions; i++)
            {
                var input = i == 0 ? 2 * fine.Features : fine.Features;
                foreach (var tensor in NormalisedConvolution($"decoder.{level}.{i}", input, fine.Features, fine.Kernel))
                {
                    yield return tensor;
                }
            }
        }
    }

    private static IEnumerable<TensorSpec> Heads(ArchitectureSpec spec, NetworkTopology topology)
    {
        foreach (var level in topology.HeadLevels())
        {
            var name = level == 0 ? "head" : $"auxiliary.{level}";
            yield return new TensorSpec($"{name}.weight", [spec.Classes, topology.Stages[level].Features, .. Pointwise]);
            yield return new TensorSpec($"{name}.bias", [spec.Classes]);
        }
    }

    private static IEnumerable<TensorSpec> NormalisedConvolution(
        string name, int input, int output, IReadOnlyList<int> kernel, bool bias = true)
    {
        yield return new TensorSpec($"{name}.conv.weight", [output, input, .. kernel]);
        if (bias) yield return new TensorSpec($"{name}.conv.bias", [output]);
        yield return new TensorSpec($"{name}.norm.weight", [output]);
        yield return new TensorSpec($"{name}.norm.bias", [output]);
    }
}

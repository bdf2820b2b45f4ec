using FedSeg.Federation.Architectures;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Networks;

/// <summary>
/// The U-Nets of <see cref="ArchitectureCatalog"/>, built from their topology. Input <c>[N, C, D, H, W]</c> float32, D, H and W multiples
/// of
/// <see cref="NetworkTopology.SizeDivisors"/>; output <c>[N, classes, D, H, W]</c>, logits. Sources: Çiçek et al. 2016; Isensee et al. 2021
/// and, for the residual encoder, 2024.
/// </summary>
public sealed class UNet : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor>? _stem;
    private readonly IReadOnlyList<Module<Tensor, Tensor>> _encoder;
    private readonly IReadOnlyList<DecoderStage> _decoder;
    private readonly IReadOnlyList<(int Level, Module<Tensor, Tensor> Layer)> _heads;

    internal UNet(ArchitectureSpec spec)
        : base("unet")
    {
        var topology = ArchitectureCatalog.Topology(spec);
        var residual = spec.Name == ArchitectureCatalog.ResidualEncoderUNet;
        var stages = topology.Stages;
        var input = residual ? stages[0].Features : spec.InputChannels;
        _stem = residual ? new NormalisedConvolution(spec.InputChannels, input, stages[0].Kernel, [1, 1, 1]) : null;
        var encoder = new List<Module<Tensor, Tensor>>();
        foreach (var stage in stages)
        {
            encoder.Add(new EncoderStage(input, stage, residual));
            input = stage.Features;
        }

        _encoder = encoder;
        _decoder = [.. stages.Zip(stages.Skip(1), (fine, coarse) => new DecoderStage(coarse, fine, topology.DecoderConvolutions))];
        _heads = [.. topology.HeadLevels().Select(level => (level, Head(stages[level].Features, spec.Classes)))];
        RegisterInFileOrder();
    }

    public override Tensor forward(Tensor image) => Logits(Encode(image));

    /// <summary>Logits of every head, finest first; those of a coarser head have the size of its decoder stage.</summary>
    public IReadOnlyList<Tensor> Outputs(Tensor image)
    {
        var decoded = Decode(Encode(image));
        return [.. _heads.Select(head => head.Layer.forward(decoded[head.Level]))];
    }

    /// <summary>Feature maps <c>[N, features, …]</c> of the encoder's stages, finest first; the last is the bottleneck's.</summary>
    internal IReadOnlyList<Tensor> Encode(Tensor image)
    {
        using var stem = _stem?.forward(image);
        var features = stem ?? image;
        var maps = new List<Tensor>();
        foreach (var stage in _encoder)
        {
            features = stage.forward(features);
            maps.Add(features);
        }

        return maps;
    }

    /// <summary>Feature maps of the decoder's stages, finest first.</summary>
    internal IReadOnlyList<Tensor> Decode(IReadOnlyList<Tensor> encoded)
    {
        var maps = new Tensor[_decoder.Count];
        var features = encoded[^1];
        for (var level = maps.Length - 1; level >= 0; level--)
        {
            features = _decoder[level].forward(features, encoded[level]);
            maps[level] = features;
        }

        return maps;
    }

    /// <summary>From the encoder's feature maps to the finest head's logits.</summary>
    internal Tensor Logits(IReadOnlyList<Tensor> encoded) => _heads[0].Layer.forward(Decode(encoded)[0]);

    /// <summary>
    /// Registration order is the tensor order of the catalog's manifest: encoder from the finest stage down, decoder up again, heads.
    /// </summary>
    private void RegisterInFileOrder()
    {
        List<(string, Module)> encoder = _stem is null ? [] : [("stem", _stem)];
        encoder.AddRange(_encoder.Select((stage, level) => ($"{level}", (Module)stage)));
        register_module("encoder", new NamedModules(encoder));
        register_module("decoder", new NamedModules(_decoder.Select((stage, level) => ($"{level}", (Module)stage)).Reverse()));
        register_module("head", _heads[0].Layer);
        if (_heads.Count == 1) return;
        register_module("auxiliary", new NamedModules(_heads.Skip(1).Select(head => ($"{head.Level}", (Module)head.Layer))));
    }

    private static Module<Tensor, Tensor> Head(int features, int classes) => Conv3d(features, classes, kernel_size: 1);
}

/// <summary>Modules under the names the manifest gives them, in registration order.</summary>
internal sealed class NamedModules : Module
{
    public NamedModules(IEnumerable<(string Name, Module Module)> modules)
        : base("modules")
    {
        foreach (var (name, module) in modules) register_module(name, module);
    }
}

using System.Collections.Immutable;

namespace FedSeg.Federation.Architectures;

/// <summary>
/// The shape of an encoder-decoder network, stage by stage. Every network is three-dimensional; a 2D one has kernels and strides of 1 along
/// the axis that its slices are stacked on, which is the same mathematics and the same number of weights.
/// </summary>
public sealed record NetworkTopology
{
    /// <summary>Encoder stages, finest first, 2 to 10; the last one is the bottleneck.</summary>
    public required ImmutableArray<NetworkStage> Stages { get; init; }

    /// <summary>Convolutions of each decoder stage, 1 or 2.</summary>
    public required int DecoderConvolutions { get; init; }

    /// <summary>Whether coarser decoder stages have heads of their own, trained beside the finest (Isensee et al. 2021).</summary>
    public required bool DeepSupervision { get; init; }

    /// <summary>What every extent of an input has to be a multiple of, <c>[z, y, x]</c>.</summary>
    public ImmutableArray<int> SizeDivisors() =>
        [.. Enumerable.Range(0, 3).Select(axis => Stages.Aggregate(1, (product, stage) => product * stage.Stride[axis]))];

    /// <summary>
    /// Levels of the decoder that have a head, finest first. The lowest decoder stage weighs 0 in the loss of a deeply supervised network,
    /// so it has none, unless it is the only one.
    /// </summary>
    public IEnumerable<int> HeadLevels() => Enumerable.Range(0, DeepSupervision ? Math.Max(1, Stages.Length - 2) : 1);
}

/// <summary>One resolution of the encoder; the decoder stage of the same resolution mirrors its kernel and features.</summary>
public sealed record NetworkStage
{
    /// <summary>Stride of the stage's first convolution, <c>[z, y, x]</c>, each 1 or 2; all 1 in the first stage.</summary>
    public required ImmutableArray<int> Stride { get; init; }

    /// <summary>Kernel of the stage's convolutions, <c>[z, y, x]</c>, each 1 or 3.</summary>
    public required ImmutableArray<int> Kernel { get; init; }

    /// <summary>Feature channels, 1 to 512.</summary>
    public required int Features { get; init; }

    /// <summary>Convolutions of a plain encoder or residual blocks of a residual one, 1 to 8.</summary>
    public required int Blocks { get; init; }
}

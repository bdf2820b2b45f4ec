using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FedSeg.Segmentation.Networks;

/// <summary>
/// Two convolutions with a skip around them, added before the last leaky ReLU. A skip is averaged down where the block strides, and
/// projected where the channels change. Source: He et al. 2016; averaging instead of striding: He et al. 2019, "Bag of tricks", ResNet-D.
/// </summary>
internal sealed class ResidualBlock : Module<Tensor, Tensor>
{
    private static readonly Scalar LeakySlope = 0.01;

    private readonly NormalisedConvolution _first;
    private readonly NormalisedConvolution _second;
    private readonly NormalisedConvolution? _skip;
    private readonly long[]? _pool;

    public ResidualBlock(int input, int output, IReadOnlyList<int> kernel, IReadOnlyList<int> stride)
        : base("block")
    {
        _first = new NormalisedConvolution(input, output, kernel, stride);
        _second = new NormalisedConvolution(output, output, kernel, [1, 1, 1], activate: false);
        register_module("first", _first);
        register_module("second", _second);
        if (stride.Any(step => step > 1)) _pool = [.. stride.Select(step => (long)step)];
        if (input == output) return;
        _skip = new NormalisedConvolution(input, output, [1, 1, 1], [1, 1, 1], activate: false, bias: false);
        register_module("skip", _skip);
    }

    public override Tensor forward(Tensor features)
    {
        using var passing = NewDisposeScope();
        var skipped = _pool is null ? features : functional.avg_pool3d(features, _pool, _pool);
        if (_skip is not null) skipped = _skip.forward(skipped);
        return _second.forward(_first.forward(features)).Plus(skipped).leaky_relu_(LeakySlope).MoveToOuterDisposeScope();
    }
}

using FedSeg.Segmentation.Networks;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace FedSeg.Segmentation.Tests.Networks;

/// <summary>
/// Convolutions in float32, which oneDNN computes, against the same in float64, which torch computes itself. The heap is filled with numbers before, so that memory nobody
/// wrote is not zero by luck.
/// </summary>
public sealed class ConvolutionTests
{
    private const double Tolerance = 1e-3;

    [Theory]
    [InlineData(1, 8, 3, 1)]
    [InlineData(4, 4, 3, 1)]
    [InlineData(8, 8, 3, 1)]
    [InlineData(16, 8, 3, 1)]
    [InlineData(12, 24, 3, 2)]
    [InlineData(20, 20, 3, 1)]
    [InlineData(24, 24, 3, 1)]
    [InlineData(32, 32, 3, 1)]
    [InlineData(8, 3, 1, 1)]
    public void Conv3d_AnyNumberOfChannels_AgreesWithDoublePrecision(int input, int output, int kernel, int stride)
    {
        CpuKernels.Check(Plans.Small);
        foreach (var (name, single, precise) in Both(input, output, kernel, stride))
        {
            var scale = Math.Max(1, precise.Max(Math.Abs));
            for (var i = 0; i < precise.Length; i++)
            {
                Assert.True(Math.Abs(single[i] - precise[i]) <= Tolerance * scale, $"{name}[{i}] is {single[i]}, in double precision {precise[i]}");
            }
        }
    }

    private static IEnumerable<(string Name, double[] Single, double[] Precise)> Both(int input, int output, int kernel, int stride)
    {
        var single = Compute(ScalarType.Float32, input, output, kernel, stride);
        var precise = Compute(ScalarType.Float64, input, output, kernel, stride);
        string[] names = ["output", "gradient of the image", "gradient of the weights"];
        return names.Select((name, i) => (name, single[i], precise[i]));
    }

    private static double[][] Compute(ScalarType type, int input, int output, int kernel, int stride)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < 8; i++)
        {
            using var junk = Values(100 + i, 2, 8 + i, 16, 24, 20);
        }

        using var image = Values(1, 2, input, 16, 24, 20).to(type).requires_grad_(true);
        using var weights = Values(2, output, input, kernel, kernel, kernel).to(type).requires_grad_(true);
        var result = conv3d(image, weights, strides: [stride, stride, stride], padding: [kernel / 2, kernel / 2, kernel / 2]);
        result.backward([Values(3, [.. result.shape.Select(extent => (int)extent)]).to(type)]);
        return [.. new[] { result, image.grad!, weights.grad! }.Select(values => values.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray())];
    }

    private static Tensor Values(int seed, params int[] shape)
    {
        var random = new Random(seed);
        var values = new float[shape.Aggregate(1, (product, extent) => product * extent)];
        foreach (ref var value in values.AsSpan()) value = random.NextSingle() - 0.5f;
        return tensor(values, [.. shape.Select(extent => (long)extent)]);
    }
}

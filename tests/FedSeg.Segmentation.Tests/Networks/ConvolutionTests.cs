using System.Diagnostics;
using System.Globalization;
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

    /// <summary>Set in a process of this program that is to compute with the instructions of networks of so many channels.</summary>
    private const string ChannelsVariable = "FEDSEG_TEST_CHANNELS";

    private static readonly int Channels = int.Parse(Environment.GetEnvironmentVariable(ChannelsVariable) ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Channels in and out, kernel, stride: of what occurs in a network whose stages have multiples of <see cref="Channels"/>, first layer and head included.</summary>
    public static TheoryData<int, int, int, int> Kinds { get; } = new(
        new (int In, int Out, int Kernel, int Stride)[]
        {
            (1, 8, 3, 1), (4, 4, 3, 1), (8, 8, 3, 1), (16, 8, 3, 1), (12, 24, 3, 2), (20, 20, 3, 1), (24, 24, 3, 1), (32, 32, 3, 1), (8, 3, 1, 1),
            (1, 16, 3, 1), (16, 32, 3, 2), (48, 16, 3, 1), (32, 3, 1, 1),
        }.Where(kind => (kind.In == 1 || kind.In % Channels == 0) && (kind.Kernel == 1 || kind.Out % Channels == 0))
        .Select(kind => (kind.In, kind.Out, kind.Kernel, kind.Stride)));

    /// <summary>The limit belongs to a process, so faster ones are tried in processes of their own.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public async Task Conv3d_InstructionsOfWiderNetworks_AgreeToo(int channels)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["--filter-method", $"*{nameof(Conv3d_AnyNumberOfChannels_AgreesWithDoublePrecision)}"])
        {
            RedirectStandardOutput = true,
            Environment = { [ChannelsVariable] = $"{channels}" },
        };
        using var child = Process.Start(start)!;
        var output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(child.ExitCode == 0, output);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Conv3d_AnyNumberOfChannels_AgreesWithDoublePrecision(int input, int output, int kernel, int stride)
    {
        var architecture = Plans.Small with { BaseFeatures = Math.Max(2, Channels) };
        if (Channels > 1) CpuKernels.ChooseFor(architecture);
        CpuKernels.Check(architecture);
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
        string[] names = ["output", "gradient of the image", "gradient of the weights"];
        foreach (var size in (int[][])[[16, 24, 20], [5, 7, 5]])
        {
            var single = Compute(ScalarType.Float32, input, output, kernel, stride, size);
            var precise = Compute(ScalarType.Float64, input, output, kernel, stride, size);
            for (var i = 0; i < names.Length; i++) yield return ($"{names[i]} of {string.Join("x", size)}", single[i], precise[i]);
        }
    }

    private static double[][] Compute(ScalarType type, int input, int output, int kernel, int stride, int[] size)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < 8; i++)
        {
            using var junk = Values(100 + i, 2, 8 + i, 16, 24, 20);
        }

        using var image = Values(1, 2, input, size[0], size[1], size[2]).to(type).requires_grad_(true);
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

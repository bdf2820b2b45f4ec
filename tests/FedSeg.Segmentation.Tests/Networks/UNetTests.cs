using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Networks;

public sealed class UNetTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    /// <summary>Three stages, the second halving only in plane: what a plan for thick slices looks like.</summary>
    private static ArchitectureSpec Planned(string name, int decoderConvolutions = 2, bool deepSupervision = true) => new()
    {
        Name = name,
        Classes = 3,
        Topology = new NetworkTopology
        {
            Stages =
            [
                new() { Stride = [1, 1, 1], Kernel = [1, 3, 3], Features = 4, Blocks = 1 },
                new() { Stride = [1, 2, 2], Kernel = [3, 3, 3], Features = 6, Blocks = 2 },
                new() { Stride = [2, 2, 2], Kernel = [3, 3, 3], Features = 6, Blocks = 1 },
                new() { Stride = [2, 2, 2], Kernel = [3, 3, 3], Features = 8, Blocks = 1 },
            ],
            DecoderConvolutions = decoderConvolutions,
            DeepSupervision = deepSupervision,
        },
    };

    /// <summary>A 2D network: kernels and strides of 1 across the slices.</summary>
    private static ArchitectureSpec Plane() => new()
    {
        Name = "unet",
        Classes = 2,
        Topology = new NetworkTopology
        {
            Stages =
            [
                new() { Stride = [1, 1, 1], Kernel = [1, 3, 3], Features = 4, Blocks = 2 },
                new() { Stride = [1, 2, 2], Kernel = [1, 3, 3], Features = 8, Blocks = 2 },
            ],
            DecoderConvolutions = 2,
            DeepSupervision = true,
        },
    };

    public static TheoryData<ArchitectureSpec> Specs => [Planned("unet"), Planned("unet", 1, false), Planned("resenc-unet", 1), Plane()];

    [Theory]
    [MemberData(nameof(Specs))]
    public void Create_PlannedNetwork_HasTheCatalogsTensorsInItsOrder(ArchitectureSpec spec)
    {
        using var network = NetworkFactory.Create(spec);
        var actual = network.named_parameters().Select(entry => new TensorSpec(entry.name, [.. entry.parameter.shape.Select(extent => (int)extent)]));
        Assert.Equal(ArchitectureCatalog.Manifest(spec).Tensors.AsEnumerable(), actual);
        Assert.Empty(network.named_buffers());
    }

    [Theory]
    [InlineData("unet")]
    [InlineData("resenc-unet")]
    public void Outputs_DeeplySupervised_AreLogitsOfEveryStageButTheLowest(string name)
    {
        using var network = NetworkFactory.Create(Planned(name));
        var outputs = network.Outputs(zeros([2, 1, 8, 16, 24]));

        Assert.Equal([[2L, 3, 8, 16, 24], [2L, 3, 8, 8, 12]], outputs.Select(output => output.shape));
    }

    [Theory]
    [InlineData("unet")]
    [InlineData("resenc-unet")]
    public void Forward_IsTheFinestOutput(string name)
    {
        using var network = NetworkFactory.Create(Planned(name));
        FillByHand(network);
        var image = linspace(-1, 1, 8 * 16 * 24).reshape(1, 1, 8, 16, 24);

        Assert.True(allclose(network.Outputs(image)[0], network.forward(image), rtol: 0, atol: 0));
    }

    [Fact]
    public void Forward_2DNetwork_SeesEverySliceAlone()
    {
        using var network = NetworkFactory.Create(Plane());
        FillByHand(network);
        var slices = sin(linspace(0, 40, 2 * 8 * 12)).reshape(2, 1, 1, 8, 12);

        // As a batch of two single slices, and as two batches.
        var together = network.forward(slices);
        Assert.True(allclose(together[0], network.forward(slices.narrow(0, 0, 1))[0], atol: 1e-5));
        Assert.True(allclose(together[1], network.forward(slices.narrow(0, 1, 1))[0], atol: 1e-5));
        Assert.False(allclose(together[0], together[1], atol: 1e-3));
    }

    /// <summary>What a pass leaves in memory: its answer, and of an encoder or decoder the maps of its stages.</summary>
    [Theory]
    [MemberData(nameof(Specs))]
    public void Forward_AnyNetwork_HoldsOnlyTheMapsOfItsStages(ArchitectureSpec spec)
    {
        using var network = NetworkFactory.Create(spec);
        using var withoutGradient = inference_mode();
        var image = zeros([1, 1, 8, 16, 24]);
        var stages = spec.Topology!.Stages.Length;

        var encoded = AssertHolds(stages, () => network.Encode(image));
        var decoded = AssertHolds(stages - 1, () => network.Decode(encoded));
        AssertHolds(1, () => new NetworkAverage([network, network], [0, 1, 2]).Logits(image));
        AssertHolds(1, () => new NetworkAverage([network, network], [0, 1, 2]).Opinions(image));
        Assert.Equal(stages - 1, decoded.Count);
    }

    private static T AssertHolds<T>(int tensors, Func<T> compute)
    {
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var result = compute();
        Assert.Equal(before + tensors, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        return result;
    }

    [Fact]
    public void ResidualBlock_ClosingNormAtZero_IsItsSkip()
    {
        using var block = new ResidualBlock(2, 2, [3, 3, 3], [1, 2, 2]);
        FillByHand(block);
        foreach (var (name, parameter) in block.named_parameters())
        {
            using var withoutGradient = no_grad();
            if (name.StartsWith("second.norm", StringComparison.Ordinal)) parameter.copy_(zeros_like(parameter));
        }

        var input = linspace(-1, 1, 2 * 4 * 4 * 6).reshape(1, 2, 4, 4, 6);
        var averaged = nn.functional.avg_pool3d(input, [1, 2, 2], [1, 2, 2]);
        Assert.True(allclose(nn.functional.leaky_relu(averaged, 0.01), block.forward(input), atol: 1e-6));
    }

    /// <summary>Small weights that differ, without chance.</summary>
    private static void FillByHand(nn.Module network)
    {
        using var withoutGradient = no_grad();
        foreach (var parameter in network.parameters())
        {
            var values = Enumerable.Range(0, (int)parameter.numel()).Select(i => (float)(0.2 * Math.Sin(1 + i)) + (parameter.dim() == 1 ? 1 : 0)).ToArray();
            parameter.copy_(tensor(values).view_as(parameter));
        }
    }
}

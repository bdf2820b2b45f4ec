using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Networks;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Networks;

public sealed class NetworkFactoryTests
{
    [Theory]
    [InlineData(1, 3, 8, 3)]
    [InlineData(1, 3, 8, 4)]
    [InlineData(2, 5, 4, 2)]
    [InlineData(1, 2, 64, 5)] // reaches the cap of 320 features
    public void Create_AnySpec_HasTheCatalogsTensorsInItsOrder(int channels, int classes, int features, int levels)
    {
        var spec = new ArchitectureSpec { Name = "unet3d", InputChannels = channels, Classes = classes, BaseFeatures = features, Levels = levels };
        using var network = NetworkFactory.Create(spec);
        var actual = network.named_parameters().Select(entry => new TensorSpec(entry.name, [.. entry.parameter.shape.Select(extent => (int)extent)]));
        Assert.Equal(ArchitectureCatalog.Manifest(spec).Tensors.AsEnumerable(), actual);
    }

    [Fact]
    public void Create_AnyNetwork_HasNoBuffers()
    {
        // Running statistics would carry data of a site outside the manifest.
        using var network = NetworkFactory.Create(Plans.Small);
        Assert.Empty(network.named_buffers());
    }

    [Fact]
    public void Forward_SizeAMultipleOfTheDivisor_GivesLogitsOfTheSameSize()
    {
        using var scope = NewDisposeScope();
        using var network = NetworkFactory.Create(Plans.Small with { Levels = 3 });
        Assert.Equal([2L, 3, 8, 12, 16], network.forward(zeros([2, 1, 8, 12, 16])).shape);
    }

    [Fact]
    public void Forward_OneConvolution_IsInstanceNormAndLeakyRelu()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var block = new NormalisedConvolution(2, 3, [3, 3, 3], [1, 1, 1]);
        var parameters = block.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter);
        using (no_grad())
        {
            parameters["norm.weight"].copy_(tensor([0.5f, 1, 2]));
            parameters["norm.bias"].copy_(tensor([-1f, 0, 1]));
        }

        var input = randn([2, 2, 4, 5, 6]);
        var convolved = nn.functional.conv3d(input, parameters["conv.weight"], parameters["conv.bias"], padding: [1, 1, 1]);
        var expected = nn.functional.leaky_relu(
            nn.functional.instance_norm(convolved, weight: parameters["norm.weight"], bias: parameters["norm.bias"], eps: 1e-5), 0.01);
        Assert.True(allclose(expected, block.forward(input), atol: 1e-5));
    }

    [Fact]
    public void Create_NameNotOnTheAllowList_IsRefused()
    {
        var error = Assert.Throws<ArgumentException>(() => NetworkFactory.Create(Plans.Small with { Name = "resnet" }));
        Assert.Contains("'resnet' is not on the allow-list", error.Message);
    }
}

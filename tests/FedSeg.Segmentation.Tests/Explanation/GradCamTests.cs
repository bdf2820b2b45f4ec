using FedSeg.Federation.Architectures;
using FedSeg.Segmentation.Explanation;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Uncertainty;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Explanation;

public sealed class GradCamTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Map_OneLayerConvolution_IsTheHandWorkedMap()
    {
        // Two features over four voxels; class 1 is 3 · first − 2 · second, so their weights are 3/4 and −2/4 of a mean over all four.
        var features = tensor([1f, 2, 3, 4, 4, 3, 0, 0], [1, 2, 1, 1, 4]);
        var layer = tensor([1f, 1, 3, -2], [2, 2, 1, 1, 1]);
        var region = new ExplainedRegion(1, ones([1, 1, 1, 4]));

        var map = GradCam.Map(features, input => nn.functional.conv3d(input, layer), region);

        // 3/4 · (1, 2, 3, 4) − 2/4 · (4, 3, 0, 0), negatives cut.
        Assert.Equal([0, 0, 2.25f, 3], map);
    }

    [Fact]
    public void Map_RegionOfOneVoxel_WeighsByItsGradientAlone()
    {
        var features = tensor([1f, 2, 3, 4], [1, 1, 1, 1, 4]);
        var region = new ExplainedRegion(0, tensor([0f, 0, 1, 0], [1, 1, 1, 4]));

        var map = GradCam.Map(features, input => input, region);

        Assert.Equal([0.25f, 0.5f, 0.75f, 1], map);
    }

    [Fact]
    public void Map_UNet_HasTheWindowsSizeAndIsNeverNegative()
    {
        using var network = Networks.Seeded(1);
        var window = Networks.Window();

        var map = GradCam.Map(network, window, Networks.Region(network, window));

        Assert.Equal(16 * 16 * 16, map.Length);
        Assert.All(map, value => Assert.True(value >= 0));
        Assert.Contains(map, value => value > 0);
    }

    [Fact]
    public void Map_OtherWeights_GiveAnotherMap()
    {
        var window = Networks.Window();
        using var network = Networks.Seeded(1);
        var region = Networks.Region(network, window);
        var map = GradCam.Map(network, window, region);

        Assert.Equal(1, Networks.Likeness(map, GradCam.Map(network, window, region)), 1e-12);
        for (ulong seed = 2; seed < 5; seed++)
        {
            using var randomised = Networks.Seeded(seed);
            Assert.InRange(Networks.Likeness(map, GradCam.Map(randomised, window, region)), -0.9, 0.9);
        }
    }
}

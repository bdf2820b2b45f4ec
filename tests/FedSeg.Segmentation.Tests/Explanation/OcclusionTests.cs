using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Explanation;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Explanation;

public sealed class OcclusionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Map_LinearModel_IsWhatEachBlockAdds()
    {
        var weights = tensor([2f, -1, 0, 4, 10], [1, 1, 1, 1, 5]);
        var window = tensor([1f, 3, 5, -0.5f, 2], [1, 1, 1, 1, 5]);

        var map = Occlusion.Map(
            input => input.mul(weights), window, logits => logits.sum().item<float>(), new Index3(1, 1, 2), fill: 1, Token);

        // Σ w · (x − 1): 2·0 − 1·2, 0·4 − 4·1.5, and the last block, cut at the border, 10·1.
        Assert.Equal([-2f, -2, -6, -6, 10], map);
    }

    [Fact]
    public void Map_LeavesTheWindowItselfAlone()
    {
        var window = ones([1, 1, 2, 2, 2]);

        Occlusion.Map(input => input, window, logits => logits.sum().item<float>(), new Index3(1, 1, 1), fill: 0, Token);

        Assert.All(window.data<float>().ToArray(), value => Assert.Equal(1, value));
    }

    [Fact]
    public void Map_OtherWeights_GiveAnotherMap()
    {
        var window = Networks.Window();
        using var network = Networks.Seeded(1);
        using var randomised = Networks.Seeded(2);
        var region = Networks.Region(network, window);

        var map = Occlusion.Map(network.forward, window, region.Probability, new Index3(4, 4, 4), fill: 0, Token);
        var other = Occlusion.Map(randomised.forward, window, region.Probability, new Index3(4, 4, 4), fill: 0, Token);

        Assert.Contains(map, value => Math.Abs(value) > 1e-4);
        Assert.InRange(Networks.Likeness(map, other), -0.9, 0.9);
    }
}

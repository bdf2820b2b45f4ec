using FedSeg.Segmentation.Inference;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Inference;

public sealed class NetworkAverageTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    /// <summary>Weighs each column by its position: a network that tells left from right.</summary>
    private sealed class Slanted(float factor) : nn.Module<Tensor, Tensor>("slanted")
    {
        public override Tensor forward(Tensor input) => input * tensor(Enumerable.Range(0, (int)input.shape[4]).Select(x => factor * x).ToArray());
    }

    [Fact]
    public void Logits_TwoNetworks_AreTheirMean()
    {
        using var one = new Slanted(1);
        using var three = new Slanted(3);

        Assert.Equal([0, 2, 4], Values(new NetworkAverage([one, three], []).Logits(ones([1, 1, 1, 1, 3]))));
    }

    [Fact]
    public void Logits_MirroredAlongX_AreTheMeanOfBothViews()
    {
        using var network = new Slanted(1);
        // Plain 0·5, 1·7, 2·9; mirrored 2·5, 1·7, 0·9 in the image's own order.
        Assert.Equal([5, 7, 9], Values(new NetworkAverage([network], [2]).Logits(tensor([5f, 7, 9], [1, 1, 1, 1, 3]))));
    }

    [Fact]
    public void Logits_MirroredAlongThreeAxes_SeeEightViews()
    {
        using var network = new Counting();
        new NetworkAverage([network], [0, 1, 2]).Logits(ones([1, 1, 2, 2, 2]));

        Assert.Equal(8, network.Calls);
    }

    private sealed class Counting() : nn.Module<Tensor, Tensor>("counting")
    {
        public int Calls { get; private set; }

        public override Tensor forward(Tensor input)
        {
            Calls++;
            return input.clone();
        }
    }

    private static float[] Values(Tensor tensor) => [.. tensor.contiguous().data<float>()];
}

using FedSeg.Segmentation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class DeepSupervisionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Weights_FiveDecoderStages_AreTheGoldenOnesWithoutTheLowestZero() =>
        Assert.Equal([.5333, .2667, .1333, .0667], DeepSupervision.Weights(heads: 4).Select(weight => Math.Round(weight, 4)));

    [Fact]
    public void Weights_OneHead_IsOne() => Assert.Equal([1], DeepSupervision.Weights(heads: 1));

    [Fact]
    public void Loss_OneOutput_IsTheGoldenLoss()
    {
        var logits = tensor([2f, 0, 0, 1, 0, 1, 3, 1, 1, 0, 0, 2], [1, 3, 2, 2]);

        Assert.Equal(-0.268108, DeepSupervision.Loss([logits], tensor([0L, 1, 1, 2], [1, 2, 2])).item<float>(), 1e-6);
    }

    [Fact]
    public void Loss_TwoOutputs_IsTheirWeightedSumAgainstTheReferenceAtEachResolution()
    {
        // The coarse output sees the lower right voxel of each block of two by two: classes 1 and 2.
        var target = tensor([0L, 0, 1, 1, 0, 1, 0, 2], [1, 2, 4]);
        var fine = sin(linspace(0, 10, 3 * 2 * 4)).reshape(1, 3, 2, 4);
        var coarse = cos(linspace(0, 10, 3 * 1 * 2)).reshape(1, 3, 1, 2);

        var expected = (2 * SegmentationLoss.Of(fine, target).item<float>() + SegmentationLoss.Of(coarse, tensor([1L, 2], [1, 1, 2])).item<float>()) / 3;
        Assert.Equal(expected, DeepSupervision.Loss([fine, coarse], target).item<float>(), 1e-6);
    }
}

using FedSeg.Segmentation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

/// <summary>Golden values computed by an independent run of nnU-Net's loss; six digits are given, so the tolerance is 1e-6.</summary>
public sealed class SegmentationLossTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    private static Tensor OneSampleLogits() => tensor([2f, 0, 0, 1, 0, 1, 3, 1, 1, 0, 0, 2], [1, 3, 2, 2]);

    private static Tensor OneSampleTarget() => tensor([0L, 1, 1, 2], [1, 2, 2]);

    private static (Tensor Probabilities, Tensor Reference) Prepared(Tensor logits, Tensor target)
    {
        var probabilities = logits.softmax(1);
        return (probabilities, SegmentationLoss.OneHot(target, probabilities));
    }

    private static (Tensor Logits, Tensor Target) TwoSamples() =>
        (cat([OneSampleLogits(), OneSampleLogits().flip(-1)]), cat([OneSampleTarget(), zeros_like(OneSampleTarget())]));

    [Fact]
    public void Of_Golden_IsTheSum() => Assert.Equal(-0.268108, SegmentationLoss.Of(OneSampleLogits(), OneSampleTarget()).item<float>(), 1e-6);

    [Fact]
    public void Dice_Golden_IsTheMeanOverForeground()
    {
        var (probabilities, reference) = Prepared(OneSampleLogits(), OneSampleTarget());
        Assert.Equal(-0.669462, SegmentationLoss.Dice(probabilities, reference, batchDice: false).item<float>(), 1e-6);
    }

    [Fact]
    public void CrossEntropy_Golden()
    {
        var (_, reference) = Prepared(OneSampleLogits(), OneSampleTarget());
        Assert.Equal(0.401355, SegmentationLoss.CrossEntropy(OneSampleLogits().log_softmax(1), reference).item<float>(), 1e-6);
    }

    [Theory]
    [InlineData(false, -0.334735)]
    [InlineData(true, -0.449005)]
    public void Dice_SecondSampleEmpty_DiffersBetweenSampleAndBatch(bool batchDice, double expected)
    {
        var (logits, target) = TwoSamples();
        var (probabilities, reference) = Prepared(logits, target);
        Assert.Equal(expected, SegmentationLoss.Dice(probabilities, reference, batchDice).item<float>(), 1e-6);
    }

    [Fact]
    public void CrossEntropy_AgreesWithTorch()
    {
        var (logits, target) = TwoSamples();
        var (_, reference) = Prepared(logits, target);
        var expected = nn.functional.cross_entropy(logits, target).item<float>();
        Assert.Equal(expected, SegmentationLoss.CrossEntropy(logits.log_softmax(1), reference).item<float>(), 1e-6);
    }

    [Fact]
    public void Of_EverythingDrawn_IsThePlainLoss()
    {
        using var scope = NewDisposeScope();
        var (logits, target) = (randn([2, 3, 4, 4, 4]), randint(0, 3, [2, 4, 4, 4], dtype: ScalarType.Int64));
        foreach (var batchDice in new[] { false, true })
        {
            var plain = SegmentationLoss.Of(logits, target, batchDice).item<float>();
            Assert.Equal(plain, SegmentationLoss.Of(logits, target, batchDice, ones([2, 3])).item<float>(), 1e-5);
        }
    }

    [Fact]
    public void Of_UndrawnClass_CountsAsBackgroundAndItsDiceIsLeftOut()
    {
        // One voxel, probabilities 1/2, 1/3, 1/6; class 2 undrawn, labelled background: its probability is 1/2 + 1/6.
        using var scope = NewDisposeScope();
        var logits = tensor([3f, 2f, 1f]).log().view(1, 3, 1, 1, 1);
        var loss = SegmentationLoss.Of(logits, zeros([1, 1, 1, 1], dtype: ScalarType.Int64), drawn: tensor([1f, 1f, 0f]).view(1, 3));
        // Dice of class 1 alone: nothing labelled, 1/3 predicted.
        Assert.Equal(-Math.Log(2.0 / 3) - 1e-5 / (1.0 / 3 + 1e-5), loss.item<float>(), 1e-5);
    }

    [Fact]
    public void Of_UndrawnClass_IsNotPushedDownWhereItIsPredicted()
    {
        using var scope = NewDisposeScope();
        var target = zeros([1, 2, 2, 2], dtype: ScalarType.Int64);
        var logits = zeros([1, 3, 2, 2, 2], requires_grad: true);
        SegmentationLoss.Of(logits, target, drawn: tensor([1f, 1f, 0f]).view(1, 3)).backward();
        var gradient = logits.grad!.sum([0, 2, 3, 4]).data<float>().ToArray();
        Assert.True(gradient[1] > 0); // drawn and absent: down
        Assert.True(gradient[2] < 0); // not drawn: as good as background
        Assert.Equal(gradient[0], gradient[2], 1e-6);
    }
}

using FedSeg.Segmentation.Explanation;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Explanation;

public sealed class IntegratedGradientsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void Of_LinearModel_IsWeightTimesDifference(int steps)
    {
        var weights = tensor([2f, -1, 0, 4], [1, 1, 1, 1, 4]);
        var window = tensor([1f, 3, 5, -0.5f], [1, 1, 1, 1, 4]);
        var baseline = tensor([0f, 1, 7, 2], [1, 1, 1, 1, 4]);
        var region = new ExplainedRegion(0, ones([1, 1, 1, 4]));

        var attribution = IntegratedGradients.Of(input => input.mul(weights), window, baseline, region, steps, Token);

        // The score is the mean of w · x over four voxels; each adds w · (x − b) / 4.
        Assert.Equal([2 / 4f, -2 / 4f, 0, -10 / 4f], attribution.Map, (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal((1.75, -0.75), (attribution.ScoreOfBaseline, attribution.Score));
        Assert.InRange(attribution.CompletenessGap, 0, 1e-6);
    }

    [Fact]
    public void Of_Square_NeedsMoreThanTheGradientAtItsEnd()
    {
        var window = tensor([2f, 3], [1, 1, 1, 1, 2]);
        var region = new ExplainedRegion(0, ones([1, 1, 1, 2]));

        var attribution = IntegratedGradients.Of(input => input.mul(input), window, zeros_like(window), region, steps: 4, Token);

        // x²/2 each; the gradient at the end times the input would be twice that. The midpoint rule is exact for a square.
        Assert.Equal([2f, 4.5f], attribution.Map, (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void Of_UNet_AddsUpToTheDifferenceOfTheScoresTheBetterTheMoreSteps()
    {
        using var network = Networks.Seeded(1);
        var window = Networks.Window();
        var region = Networks.Region(network, window);

        double[] gaps = [.. new[] { 4, 16, 96 }.Select(steps => IntegratedGradients.Of(
            network.forward, window, IntegratedGradients.CoarseBaseline(window), region, steps, Token).CompletenessGap)];

        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(", ", gaps));
        Assert.True(gaps[0] > gaps[2]);
        Assert.InRange(gaps[2], 0, 0.1);
    }

    [Fact]
    public void Of_OtherWeights_GiveAnotherMap()
    {
        var window = Networks.Window();
        using var network = Networks.Seeded(1);
        var region = Networks.Region(network, window);
        var map = IntegratedGradients.Of(network.forward, window, IntegratedGradients.CoarseBaseline(window), region, steps: 8, Token).Map;

        using var randomised = Networks.Seeded(2);
        var other = IntegratedGradients.Of(randomised.forward, window, IntegratedGradients.CoarseBaseline(window), region, steps: 8, Token).Map;

        Assert.InRange(Networks.Likeness(map, other), -0.9, 0.9);
    }

    [Fact]
    public void CoarseBaseline_Image_KeepsItsMeanAndLosesItsDetail()
    {
        var window = Networks.Window();

        var baseline = IntegratedGradients.CoarseBaseline(window);

        Assert.Equal(window.shape, baseline.shape);
        Assert.Equal(window.mean().item<float>(), baseline.mean().item<float>(), 0.1f);
        Assert.True(baseline.std().item<float>() < window.std().item<float>());
    }
}

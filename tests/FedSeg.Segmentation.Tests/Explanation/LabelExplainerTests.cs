using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Explanation;
using FedSeg.Segmentation.Preprocessing;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Explanation;

public sealed class LabelExplainerTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Explain_LabelThatWasFound_GivesMapsOnTheScannersGridAndTheirChecks()
    {
        using var network = Networks.Seeded(1);
        using var randomised = ShuffledWeights.Of(network, Plans.Small, CPU, seed: 1);
        var window = Networks.Window();
        var region = Networks.Region(network, window);
        var ball = SyntheticCases.Ball(20, "patient", seed: 3);
        var image = PreparedImage.From(new Volume(ball.Grid, ball.Prepared.Input.Voxels), SyntheticCases.Preprocessing());
        var labels = new byte[ball.Grid.VoxelCount];
        Array.Fill(labels, (byte)region.Label);
        var explainer = new LabelExplainer(network, randomised, image, new Index3(16, 16, 16), CPU);
        var options = new ExplanationOptions { OcclusionBlocks = 2, IntegrationSteps = 4 };

        var explained = explainer.Explain(
            region.Label, "most frequent", new LabelVolume(ball.Grid, labels), options, TestContext.Current.CancellationToken)!;

        Assert.All([explained.GradCam, explained.Occlusion!, explained.IntegratedGradients], map => Assert.Equal(ball.Grid, map.Grid));
        Assert.InRange(explained.Probability, 1.0 / 3, 1);
        // The window of 16 lies in the middle of 20 voxels.
        Assert.Equal(0, explained.IntegratedGradients.Voxels[0]);
        Assert.Contains(explained.GradCam.Voxels, value => value > 0);
        Assert.InRange(explained.GradCamOfRandomWeights, -0.95, 0.95);
        Assert.InRange(explained.IntegratedGradientsOfRandomWeights, -0.95, 0.95);
    }

    [Fact]
    public void Explain_LabelThatWasNotFound_HasNothingToTell()
    {
        using var network = Networks.Seeded(1);
        var ball = SyntheticCases.Ball(16, "patient", seed: 3);
        var image = PreparedImage.From(new Volume(ball.Grid, ball.Prepared.Input.Voxels), SyntheticCases.Preprocessing());
        var explainer = new LabelExplainer(network, network, image, new Index3(16, 16, 16), CPU);

        Assert.Null(explainer.Explain(
            1, "lower", new LabelVolume(ball.Grid, new byte[16 * 16 * 16]), new ExplanationOptions(), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(3, 20, 8, 0)]
    [InlineData(19, 20, 8, 12)]
    [InlineData(10, 20, 8, 6)]
    [InlineData(2, 5, 8, -1)]
    public void Around_Voxel_StaysInTheImageWhereItCan(int centre, int image, int window, int first)
    {
        var cut = WindowCut.Around(new Index3(centre, 0, 0), new Index3(image, 1, 1), new Index3(window, 1, 1));

        Assert.Equal(first, cut.Start.Z);
    }

    [Fact]
    public void WindowCut_BeyondTheImage_IsPaddedAndPutBackAsItWas()
    {
        var grid = SyntheticCases.Grid(1, 2, 3);
        var image = new Volume(grid, [1, 2, 3, 4, 5, 6]);
        var cut = WindowCut.Around(default, grid.Size, new Index3(1, 4, 5));

        var values = cut.Of(image).data<float>().ToArray();

        Assert.Equal([0f, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0], values);
        Assert.Equal(image.Voxels, cut.PutBack(values, grid).Voxels);
    }
}

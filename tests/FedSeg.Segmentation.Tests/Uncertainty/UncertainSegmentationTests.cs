using FedSeg.Federation.Rounds;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Uncertainty;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Uncertainty;

public sealed class UncertainSegmentationTests
{
    /// <summary>Everywhere the same probability of class 1 of two.</summary>
    private sealed class Constant(double probability) : nn.Module<Tensor, Tensor>("constant")
    {
        public override Tensor forward(Tensor input) =>
            cat([zeros_like(input), full_like(input, (float)Math.Log(probability / (1 - probability)))], dim: 1);
    }

    [Theory]
    [InlineData(0.5, 0.5)]
    [InlineData(0.9, 0.9)]
    [InlineData(0.9, 0.1)]
    [InlineData(0.999, 0.2)]
    public void Of_TwoMembers_SplitsWhatTheyDoNotKnowFromWhatTheyDisagreeOn(double first, double second)
    {
        using var one = new Constant(first);
        using var other = new Constant(second);

        var uncertain = Of([one, other], Image(crop: false), CropRule.None);

        var mean = (first + second) / 2;
        var own = (Entropy(first) + Entropy(second)) / 2;
        Assert.All(uncertain.Entropy.Voxels, value => Assert.Equal(Entropy(mean), value, 1e-5));
        Assert.All(uncertain.MutualInformation.Voxels, value => Assert.Equal(Entropy(mean) - own, value, 1e-5));
        Assert.All(uncertain.Labels.Labels, label => Assert.Equal(mean > 0.5 ? 1 : 0, label));
    }

    [Fact]
    public void Of_CroppedImage_LiesOnTheScannersGridAndIsSureOutside()
    {
        using var network = new Constant(0.7);
        var image = Image(crop: true);

        var uncertain = Of([network], image, CropRule.Nonzero);

        Assert.Equal(image.Grid, uncertain.Entropy.Grid);
        Assert.Equal(image.Voxels.Select(value => value == 0 ? 0 : Entropy(0.7)), uncertain.Entropy.Voxels.Select(value => (double)value), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.All(uncertain.MutualInformation.Voxels, value => Assert.Equal(0, value, 1e-5));
        Assert.Equal(image.Voxels.Select(value => value == 0 ? (byte)0 : (byte)1), uncertain.Labels.Labels);
    }

    [Fact]
    public void Members_SeveralNetworks_AreEachByItselfAndOfOneItsMirrorImages()
    {
        using var one = new Constant(0.5);
        using var other = new Constant(0.5);

        Assert.Equal(2, new NetworkAverage([one, other], [0, 1, 2]).Members().Count);
        Assert.Equal(8, new NetworkAverage([one], [0, 1, 2]).Members().Count);
        Assert.Single(new NetworkAverage([one], []).Members());
    }

    private static UncertainSegmentation Of(nn.Module<Tensor, Tensor>[] networks, Volume image, CropRule crop)
    {
        var preprocessing = SyntheticCases.Preprocessing(patch: 8) with { Crop = crop };
        var prepared = PreparedImage.From(image, preprocessing);
        return UncertainSegmentation.Of(
            new NetworkAverage(networks, []), 2, prepared, preprocessing, CPU, progress: null, TestContext.Current.CancellationToken);
    }

    private static Volume Image(bool crop)
    {
        var grid = SyntheticCases.Grid(6, 12, 9);
        return new Volume(grid, [.. Enumerable.Range(0, grid.VoxelCount).Select(i => crop && i % 9 >= 7 ? 0f : 1 + i % 5)]);
    }

    private static double Entropy(double p) => -p * Math.Log(p) - (1 - p) * Math.Log(1 - p);
}

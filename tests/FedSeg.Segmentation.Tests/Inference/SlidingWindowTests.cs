using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Inference;

public sealed class SlidingWindowTests
{
    /// <summary>Class 0: the image; class 1: the image's negative.</summary>
    private sealed class Echo() : nn.Module<Tensor, Tensor>("echo")
    {
        public int Windows { get; private set; }

        public override Tensor forward(Tensor input)
        {
            Windows += (int)input.shape[0];
            return cat([input, -input], dim: 1);
        }
    }

    private static Volume Image(int z, int y, int x)
    {
        var grid = SyntheticCases.Grid(z, y, x);
        return new Volume(grid, [.. Enumerable.Range(0, grid.VoxelCount).Select(i => (float)Math.Sin(i))]);
    }

    [Theory]
    [InlineData(110, 64, new[] { 0, 23, 46 })]
    [InlineData(64, 64, new[] { 0 })]
    [InlineData(30, 64, new[] { 0 })]
    [InlineData(65, 64, new[] { 0, 1 })]
    [InlineData(3, 1, new[] { 0, 1, 2 })] // a 2D network sees every slice once
    public void Starts_Golden(int image, int window, int[] expected) => Assert.Equal(expected, SlidingWindow.Starts(image, window));

    [Fact]
    public void Importance_TileOf8_Golden()
    {
        double[] expected = [.003355, .111090, 1.353353, 6.065307, 10, 6.065307, 1.353353, .111090];
        Assert.Equal(expected, SlidingWindow.Importance(8).Select(weight => Math.Round(10 * weight, 6)));
    }

    [Fact]
    public void Importance_TileOf64_Golden()
    {
        var weights = SlidingWindow.Importance(64);
        double[] expected = [.003355, .11109, 1.353353, 6.065307, 10, 6.065307, .005488];
        Assert.Equal(expected, new[] { 0, 8, 16, 24, 32, 40, 63 }.Select(i => Math.Round(10 * weights[i], 6)));
    }

    [Fact]
    public void Importance_Window_PeaksAtTenAndIsNeverZero()
    {
        using var scope = NewDisposeScope();
        var weights = SlidingWindow.Importance(new Index3(40, 56, 40));
        Assert.Equal(10, weights[20, 28, 20].item<float>(), 1e-6f);
        Assert.True(weights.min().item<float>() > 0);
    }

    [Theory]
    [InlineData(20, 17, 8, 4 * 4)] // larger, larger, equal
    [InlineData(20, 16, 8, 4 * 3)] // an odd number in a row
    [InlineData(5, 3, 7, 1)] // smaller along every axis
    public void Run_EchoNetwork_GivesTheImageBackWhateverTheWindows(int z, int y, int x, int windows)
    {
        using var scope = NewDisposeScope();
        using var network = new Echo();
        var image = Image(z, y, x);
        var planes = new List<float[]>();
        var told = new List<double>();
        SlidingWindow.Run(network.forward, channels: 2, image, new Index3(8, 8, 8), CPU, plane => planes.Add(plane.ToArray()), told.Add, TestContext.Current.CancellationToken);

        Assert.Equal(windows, network.Windows);
        Assert.Equal(1, told[^1]);
        Assert.Equal(told.Order().Distinct(), told);
        Assert.Equal(z, planes.Count);
        var slice = y * x;
        Assert.Equal(image.Voxels, planes.SelectMany(plane => plane.Take(slice)), (expected, actual) => Math.Abs(expected - actual) < 1e-5);
        Assert.Equal(image.Voxels, planes.SelectMany(plane => plane.Skip(slice)), (expected, actual) => Math.Abs(expected + actual) < 1e-5);
    }
}

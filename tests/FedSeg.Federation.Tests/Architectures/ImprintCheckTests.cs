using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Tests.Architectures;

public sealed class ImprintCheckTests
{
    [Theory]
    [InlineData("linear layer", "0.weight", new[] { 8, 4096 })]
    [InlineData("linear layer", "classifier.weight", new[] { 2, 10 })]
    [InlineData("4096 inputs", "0.weight", new[] { 8, 1, 16, 16, 16 })] // a convolution as large as the patch
    [InlineData("4096 inputs", "0.weight", new[] { 8, 4096, 1, 1, 1 })] // behind a reshape
    [InlineData("4096 inputs", "0.up.weight", new[] { 4096, 8, 1, 1, 1 })] // the same, transposed
    public void Problems_LayerThatSeesAWholePatch_IsRefused(string problem, string name, int[] shape)
    {
        var manifest = new TensorManifest([new TensorSpec(name, [.. shape]), new TensorSpec("0.bias", [8])]);

        Assert.Contains(problem, Assert.Single(ImprintCheck.Problems(manifest, [16, 16, 16])));
    }

    [Fact]
    public void Problems_OneInputLessThanThePatchHasVoxels_IsAllowed() =>
        Assert.Empty(ImprintCheck.Problems(new TensorManifest([new TensorSpec("0.weight", [8, 4095, 1, 1, 1])]), [16, 16, 16]));
}

using FedSeg.Segmentation.Inference;

namespace FedSeg.Segmentation.Tests.Inference;

public sealed class MirroringTests
{
    [Theory]
    [InlineData("kidney", new[] { 0, 1, 2 })]
    [InlineData("kidney left", new[] { 0, 1 })]
    [InlineData("lung_upper_lobe_right", new[] { 0, 1 })]
    [InlineData("L-kidney", new[] { 0, 1 })]
    [InlineData("LeftKidney", new[] { 0, 1 })]
    [InlineData("kidney(right)", new[] { 0, 1 })]
    [InlineData("Kidney/left", new[] { 0, 1 })]
    [InlineData("RVentricle", new[] { 0, 1 })]
    [InlineData("左腎", new[] { 0, 1 })]
    [InlineData("Rectum", new[] { 0, 1, 2 })]
    [InlineData("cleft", new[] { 0, 1, 2 })]
    public void AxesOf_ALabelWithASide_LeavesOutLeftRight(string label, int[] axes) =>
        Assert.Equal(axes, Mirroring.AxesOf(["spleen", label], SyntheticCases.Preprocessing()));

    [Fact]
    public void AxesOf_2DNetwork_LeavesOutItsSliceAxis() =>
        Assert.Equal([1, 2], Mirroring.AxesOf(["spleen"], SyntheticCases.Preprocessing() with { PatchVoxels = [1, 16, 16] }));
}

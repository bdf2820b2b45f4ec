using FedSeg.Imaging.Cropping;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Cropping;

public sealed class CropBoxTests
{
    private static readonly GridGeometry Grid = Grids.Straight(new Index3(3, 4, 5), 2, 1, 0.5);

    [Fact]
    public void OfNonzero_TwoVoxels_IsTheBoxOfBothWhereItWas()
    {
        var box = CropBox.OfNonzero(Image((1, 2, 1), (2, 0, 3)));

        Assert.Equal(new Index3(2, 3, 3), box.Part.Size);
        Assert.Equal(Grid.PositionMm(1, 0, 1), box.Part.OriginMm);
        Assert.Equal((Grid.SpacingMm, Grid.Directions), (box.Part.SpacingMm, box.Part.Directions));
        Assert.Equal(18.0 / 60, box.ShareKept);
    }

    [Fact]
    public void OfNonzero_NothingButZeros_IsEverything() => Assert.True(CropBox.OfNonzero(Image()).IsWhole);

    [Fact]
    public void OfNonzero_OppositeCorners_IsEverythingAndCopiesNothing()
    {
        var image = Image((0, 0, 0), (2, 3, 4));

        var box = CropBox.OfNonzero(image);

        Assert.Equal((true, 1.0), (box.IsWhole, box.ShareKept));
        Assert.Same(image, box.Cut(image));
    }

    [Fact]
    public void PutBack_WhatWasCut_IsTheLabelsWithBackgroundAround()
    {
        var labels = new LabelVolume(Grid, [.. Enumerable.Range(1, 60).Select(i => (byte)i)]);
        var box = new CropBox(Grid, new Index3(1, 2, 1), new Index3(2, 1, 3));

        var cut = box.Cut(labels);
        var back = box.PutBack(cut);

        Assert.Equal([32, 33, 34, 52, 53, 54], cut.Labels);
        Assert.Equal(Grid, back.Grid);
        Assert.Equal(labels.Labels.Select(label => cut.Labels.Contains(label) ? label : (byte)0), back.Labels);
    }

    [Fact]
    public void CropBox_BeyondTheGrid_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new CropBox(Grid, new Index3(2, 0, 0), new Index3(2, 1, 1)));

    [Fact]
    public void Cut_ImageOnAnotherGrid_IsRefused() =>
        Assert.Throws<ArgumentException>(() => CropBox.All(Grid with { OriginMm = default }).Cut(Image()));

    private static Volume Image(params (int Z, int Y, int X)[] nonzero)
    {
        var voxels = new float[60];
        foreach (var (z, y, x) in nonzero) voxels[(z * 4 + y) * 5 + x] = -1;
        return new Volume(Grid, voxels);
    }
}

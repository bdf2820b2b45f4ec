using FedSeg.Imaging.Metrics;
using FedSeg.Imaging.Tests.Volumes;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Tests.Metrics;

public sealed class LargestComponentTests
{
    private static LabelVolume Row(params byte[] labels) => new(Grids.Straight(new Index3(1, 1, labels.Length), 1, 1, 1), labels);

    [Fact]
    public void Keep_OneLabel_RemovesItsSmallerPiecesOnly() =>
        Assert.Equal([1, 1, 0, 0, 0, 2], LargestComponent.Keep(Row(1, 1, 0, 1, 0, 2), [1]).Labels);

    [Fact]
    public void Keep_AllLabels_CountsTouchingLabelsAsOnePiece() =>
        Assert.Equal([1, 2, 1, 0, 0, 0], LargestComponent.Keep(Row(1, 2, 1, 0, 1, 1), [1, 2]).Labels);

    [Fact]
    public void Keep_Tie_KeepsTheFirst() => Assert.Equal([1, 0, 0], LargestComponent.Keep(Row(1, 0, 1), [1]).Labels);

    [Fact]
    public void Keep_VoxelsThatTouchByACorner_AreOnePiece()
    {
        var labels = new byte[8 + 4];
        (labels[0], labels[7]) = (1, 1); // opposite corners of a cube of two
        var volume = new LabelVolume(Grids.Straight(new Index3(3, 2, 2), 1, 1, 1), labels);

        Assert.Equal(labels, LargestComponent.Keep(volume, [1]).Labels);
    }

    [Fact]
    public void Keep_NothingLabelled_IsUnchanged() => Assert.Equal([0, 0], LargestComponent.Keep(Row(0, 0), [1]).Labels);
}

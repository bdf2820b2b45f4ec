using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;

namespace FedSeg.Segmentation.Tests.Inference;

public sealed class PostProcessingTests
{
    private static LabelVolume Row(params byte[] labels) => new(SyntheticCases.Grid(1, 1, labels.Length), labels);

    private static PostProcessing Choose(LabelVolume prediction, LabelVolume reference) =>
        PostProcessing.Choose([PostProcessingTrial.Of(prediction, reference, labels: 2)]);

    [Fact]
    public void Choose_StrayPieceOfTheForeground_KeepsTheLargest()
    {
        var chosen = Choose(Row(1, 1, 2, 0, 1), Row(1, 1, 2, 0, 0));

        Assert.True(chosen.WholeForeground);
        Assert.Empty(chosen.Labels); // nothing left to gain
    }

    [Fact]
    public void Choose_ALabelWouldLose_LeavesTheForegroundAlone()
    {
        // Label 2 lies apart, where it belongs: cutting it off would help label 1 and ruin label 2.
        var chosen = Choose(Row(1, 1, 1, 0, 2, 0, 1), Row(1, 1, 1, 0, 2, 0, 0));

        Assert.False(chosen.WholeForeground);
        Assert.Equal([1], chosen.Labels);
    }

    [Fact]
    public void Choose_TwoTruePieces_ChangesNothing()
    {
        var row = Row(1, 0, 1, 1, 0, 2);

        var chosen = Choose(row, row);

        Assert.False(chosen.WholeForeground);
        Assert.Empty(chosen.Labels);
    }

    [Fact]
    public void Effect_OneLabelGains_SaysItsDiceBeforeAndAfter()
    {
        PostProcessingTrial[] cases = [PostProcessingTrial.Of(Row(1, 1, 1, 0, 2, 0, 1), Row(1, 1, 1, 0, 2, 0, 0), labels: 2)];

        Assert.Equal([(6.0 / 7, 1.0), (1.0, 1.0)], PostProcessing.Choose(cases).Effect(cases));
    }

    [Fact]
    public void Apply_WholeForegroundThenALabel_DoesBoth() =>
        Assert.Equal([1, 1, 2, 0, 0, 0], new PostProcessing(true, [1]).Apply(Row(1, 1, 2, 1, 0, 2)).Labels);
}

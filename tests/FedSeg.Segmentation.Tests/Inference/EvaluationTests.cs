using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Inference;

public sealed class EvaluationTests
{
    /// <summary>Says label 1 where the (z-scored) image is above 0, background elsewhere, label 2 nowhere.</summary>
    private sealed class Threshold() : nn.Module<Tensor, Tensor>("threshold")
    {
        public override Tensor forward(Tensor input) => cat([-input, input, full_like(input, -1000)], dim: 1);
    }

    private static FedSeg.Segmentation.Preprocessing.PreparedCase Case(string patient, byte[] bright, byte[] labels)
    {
        var grid = SyntheticCases.Grid(1, 2, 4);
        return SyntheticCases.Prepare(patient, new Volume(grid, [.. bright.Select(value => (float)value)]), new LabelVolume(grid, labels));
    }

    private static System.Collections.Immutable.ImmutableArray<FedSeg.Federation.Rounds.LabelScore> Score(params FedSeg.Segmentation.Preprocessing.PreparedCase[] cases)
    {
        using var network = new Threshold();
        return Evaluation.Score(network, cases, SyntheticCases.Labels, SyntheticCases.Preprocessing(8), CPU, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Score_TwoCases_IsTheMeanOfTheirDice()
    {
        var right = Case("a", [9, 9, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]); // Dice 1
        var half = Case("b", [9, 9, 0, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]); // 2·1 / (2 + 2)
        Assert.Equal(0.75, Score(right, half)[0].MeanDice!.Value, 1e-12);
    }

    [Fact]
    public void Score_LabelInNeither_IsLeftOutAndCounted()
    {
        var with = Case("a", [9, 9, 0, 0, 0, 0, 0, 0], [1, 1, 2, 0, 0, 0, 0, 0]);
        var without = Case("b", [9, 9, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]);
        var scores = Score(with, without);
        Assert.Equal((1.0, 2), (scores[0].MeanDice!.Value, scores[0].Cases));
        Assert.Equal((0.0, 1), (scores[1].MeanDice!.Value, scores[1].Cases));
        Assert.Null(Score(without)[1].MeanDice);
    }
}

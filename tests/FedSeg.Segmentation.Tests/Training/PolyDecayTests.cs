using FedSeg.Segmentation.Training;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class PolyDecayTests
{
    [Theory]
    [InlineData(0, 0.01)]
    [InlineData(1, 0.009990999550)]
    [InlineData(100, 0.009095325761)]
    [InlineData(500, 0.005358867313)]
    [InlineData(900, 0.001258925412)]
    [InlineData(999, 1.99526e-5)]
    public void At_NnUNetsEpochs_IsItsRate(long step, double expected) => Assert.Equal(expected, PolyDecay.At(0.01, step, 1000), 1e-10);

    [Fact]
    public void Of_SecondRound_GoesOnWhereTheFirstEnded()
    {
        var schedule = TrainingSchedule.Of(Plans.Round(round: 2), trainingCases: 3);
        Assert.Equal((4L, 12L), (schedule.FirstStep, schedule.TotalSteps));
    }
}

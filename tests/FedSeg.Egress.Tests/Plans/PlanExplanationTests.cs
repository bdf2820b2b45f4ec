using FedSeg.Egress.Plans;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;

namespace FedSeg.Egress.Tests.Plans;

public sealed class PlanExplanationTests
{
    [Fact]
    public void Of_PlanWithErrorFeedback_SaysThatALaterRoundMayTellWhatThisOneLearnt()
    {
        var lines = PlanExplanation.Of(Encoded(UpdateEncoding.Top1, errorFeedback: true));

        Assert.Contains(lines, line => line.Contains("only the hundredth of the changes that is largest leaves", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("may leave in a later one", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_PlanInFullPrecision_SaysNothingOfIt() =>
        Assert.DoesNotContain(PlanExplanation.Of(Encoded(UpdateEncoding.F32)), line =>
            line.Contains("leave in a later one", StringComparison.Ordinal));

    /// <summary>Who approved one of them did not approve the other.</summary>
    [Fact]
    public void Between_PlansOfOtherEncodings_NamesTheDifferenceInWords()
    {
        var differences = PlanDifference.Between(Encoded(UpdateEncoding.I8), Encoded(UpdateEncoding.Top10, errorFeedback: true));

        Assert.Equal(
            [("How a change is written when it leaves", "i8", "top10"),
                ("Whether what that leaves out stays here for the next round", null, "True")],
            differences.Select(difference => (difference.What, difference.Before, (string?)difference.Now))
                .OrderBy(difference => difference.What));
    }

    private static RoundPlan Encoded(UpdateEncoding encoding, bool errorFeedback = false)
    {
        var plan = HospitalOnDisk.NewPlan(RoundTask.Train);
        return plan with { Recipe = plan.Recipe with { UpdateEncoding = encoding, ErrorFeedback = errorFeedback } };
    }
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Scheduling;

namespace FedSeg.Federation.Tests.Scheduling;

public sealed class SiteDemandTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Of_SiteHasAnswered_WantsNothingMore()
    {
        var run = Open("a");
        run = Told(run, new RunInput.Declined(Plans.East, 1, DropReason.OutOfMemory));

        Assert.Empty(SiteDemand.Of([run], Plans.East));
        Assert.Single(SiteDemand.Of([run], Plans.North));
    }

    [Fact]
    public void Of_RoundThatWaitsForAPerson_TakesNoTurn() =>
        Assert.Empty(SiteDemand.Of([Told(Open("a"), new RunInput.AwaitsReview(Plans.East, 1))], Plans.East));

    [Fact]
    public void Of_PausedRun_SaysSo() =>
        Assert.True(Assert.Single(SiteDemand.Of([Told(Open("a"), new RunInput.Paused("ada"))], Plans.East)).IsPaused);

    [Fact]
    public void Of_BlindRoundsThatShareASite_GoOneAfterTheOther()
    {
        var blind = new BlindOptions { MaximumCases = 100, Range = 1, StepMinutes = 1 };
        var later = Open("a", job => job with { Blind = blind }, seconds: 1);
        var earlier = Open("b", job => job with { Blind = blind });
        var plain = Open("c", seconds: 2);

        var able = SiteDemand.Of([later, earlier, plain], Plans.East).Where(demand => demand.CanBegin).Select(demand => demand.Run);

        Assert.Equal([earlier.Id, plain.Id], able);
    }

    [Fact]
    public void Of_PausedBlindRound_KeepsNobodyBehindIt()
    {
        var blind = new BlindOptions { MaximumCases = 100, Range = 1, StepMinutes = 1 };
        var later = Open("a", job => job with { Blind = blind }, seconds: 1);
        var earlier = Told(Open("b", job => job with { Blind = blind }), new RunInput.Paused("ada"));

        Assert.Contains(SiteDemand.Of([later, earlier], Plans.East), demand => demand.Run == later.Id && demand.CanBegin);
    }

    private static RunState Open(string name, Func<JobSpec, JobSpec>? change = null, int seconds = 0)
    {
        var id = RunId.Parse("run-" + name);
        var job = Plans.Job();
        var created = new RunEvent.Created { At = Noon, Job = change is null ? job : change(job), SubmittedBy = "ada", InitialModel = Plans.InitialModel };
        return RunProtocol.Step(RunState.Apply(null, id, created), new RunInput.Continued(), Noon.AddSeconds(seconds)).State;
    }

    private static RunState Told(RunState state, RunInput input) => RunProtocol.Step(state, input, Noon).State;
}

using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Scheduling;

namespace FedSeg.Federation.Tests.Scheduling;

public sealed class SiteTurnsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Paused between the turn and the handing out: days could go by before it is wanted again.</summary>
    [Fact]
    public void GiveBack_TurnOfAPausedRunThatWasNotHandedOut_GoesToTheNext()
    {
        var (a, b) = (Demand("a"), Demand("b"));
        var turns = Attending().Look([a, b], At(0));
        var paused = a with { IsPaused = true };

        turns = turns.GiveBack(a.Run, At(1)).Look([paused, b], At(1));

        Assert.Equal([b], turns.InWork);
        Assert.Equal([b], turns.Look([a, b], At(2)).InWork);
    }

    [Fact]
    public void Look_TwoRunsWantTheSite_OneHasItsTurnAndTheOtherItWhenThatIsDone()
    {
        var (a, b) = (Demand("a"), Demand("b"));
        var turns = Attending().Look([a, b], At(0));

        Assert.Equal([a], turns.InWork);
        Assert.Equal([b], turns.Waiting);
        Assert.Equal([b], turns.Look([b], At(10)).InWork);
    }

    [Fact]
    public void Look_AnotherRunIsMoreUrgent_LeavesWhatIsUnderWayAlone()
    {
        var a = Demand("a");

        var turns = Attending().Look([a], At(0)).Look([a, Demand("b", JobPriority.High)], At(1));

        Assert.Equal([a], turns.InWork);
    }

    [Fact]
    public void Look_EqualShares_UrgentOneFirst()
    {
        var turns = Attending().Look([Demand("a", JobPriority.Low), Demand("b"), Demand("c", JobPriority.High)], At(0));

        Assert.Equal(["run-c", "run-b", "run-a"], turns.InWork.Concat(turns.Waiting).Select(demand => demand.Run.ToString()));
    }

    [Fact]
    public void HeldUpFor_SiteWorksForAnother_IsThatTimeAndNoLonger()
    {
        var (a, b) = (Demand("a"), Demand("b"));
        var turns = Attending().Look([a, b], At(0)).Look([a, b], At(30));

        Assert.Equal(TimeSpan.FromSeconds(40), turns.HeldUpFor(b.Run, 1, At(40)));
        Assert.Equal(TimeSpan.FromSeconds(50), turns.Look([b], At(50)).HeldUpFor(b.Run, 1, At(500)));
        Assert.Equal(TimeSpan.Zero, turns.HeldUpFor(a.Run, 1, At(40)));
    }

    [Fact]
    public void HeldUpFor_SiteHasGone_PassesNoMore()
    {
        var (a, b) = (Demand("a"), Demand("b"));

        var turns = Attending().Look([a, b], At(0)).Leave(At(20)).Look([a, b], At(25));

        Assert.Equal(TimeSpan.FromSeconds(20), turns.HeldUpFor(b.Run, 1, At(90)));
    }

    [Fact]
    public void Enter_WithWorkInHand_BeginsNothingElse()
    {
        var (a, b) = (Demand("a", JobPriority.High), Demand("b"));

        var turns = SiteTurns.Away.Enter([(b.Run, 1)], At(0)).Look([a, b], At(0));

        Assert.Equal([b], turns.InWork);
    }

    [Fact]
    public void Enter_WithARoundInHandThatIsOver_IsFree() =>
        Assert.Equal([Demand("a")], SiteTurns.Away.Enter([(RunId.Parse("run-a"), 7)], At(0)).Look([Demand("a")], At(0)).InWork);

    [Fact]
    public void Look_RunThatCanNotBegin_GetsNoTurnAndIsHeldUp()
    {
        var behind = Demand("a") with { CanBegin = false };

        var turns = Attending().Look([behind], At(0));

        Assert.Empty(turns.InWork);
        Assert.Equal(TimeSpan.FromSeconds(9), turns.HeldUpFor(behind.Run, 1, At(9)));
    }

    [Fact]
    public void HeldUpFor_RunIsPaused_BeginsAnewWithItsDeadline()
    {
        var (a, b) = (Demand("a"), Demand("b"));
        var turns = Attending().Look([a, b], At(0)).Look([a, b with { IsPaused = true }], At(30)).Look([a, b], At(70));

        Assert.Equal(TimeSpan.FromSeconds(5), turns.HeldUpFor(b.Run, 1, At(75)));
    }

    [Fact]
    public void Look_RunInWorkIsPaused_KeepsTheSite()
    {
        var a = Demand("a");

        var turns = Attending().Look([a], At(0)).Look([a with { IsPaused = true }, Demand("b")], At(1));

        Assert.Equal(a.Run, Assert.Single(turns.InWork).Run);
    }

    /// <summary>Whichever holds the site, the other's deadline runs: neither waits for ever.</summary>
    [Fact]
    public void HeldUpFor_OneBlindRoundBehindAnother_IsNothing()
    {
        var (a, b) = (Demand("a") with { IsBlind = true }, Demand("b") with { IsBlind = true });

        Assert.Equal(TimeSpan.Zero, Attending().Look([a, b], At(0)).HeldUpFor(b.Run, 1, At(60)));
    }

    [Fact]
    public void Look_OneStudyHasManyRuns_ItsShareStaysOne()
    {
        var sweep = Enumerable.Range(1, 9).Select(number => new Contender(Demand($"sweep-{number}") with { Share = "sweep" }, 60));

        var served = Serve([.. sweep, new Contender(Demand("single"), 60)], hours: 24);

        Assert.InRange(served["run-single"] / served.Values.Sum(), 0.48, 0.52);
    }

    [Fact]
    public void Look_ThreePriorities_ShareOneToFourToSixteen()
    {
        var served = Serve(
            [new(Demand("low", JobPriority.Low), 100), new(Demand("normal"), 30), new(Demand("high", JobPriority.High), 200)], hours: 100);

        Assert.InRange(served["run-normal"] / served["run-low"], 3.7, 4.3);
        Assert.InRange(served["run-high"] / served["run-normal"], 3.7, 4.3);
    }

    /// <summary>
    /// However runs come and go: while a round waits, those before it together get no more than its weight allows them for the longest turn there is, and each one turn more.
    /// </summary>
    [Fact]
    public void Look_AnySeed_NobodyStarves()
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            var runs = Enumerable.Range(0, random.Next(2, 7))
                .Select(number => new Contender(Demand($"r{number}", (JobPriority)random.Next(3)), random.Next(1, 120)) { Rests = random.Next(0, 300) })
                .ToList();

            Serve(runs, hours: 24);

            Assert.All(runs, run => Assert.InRange(run.LongestWait, 0, (16.0 * runs.Count + runs.Count) * 120));
            Assert.All(runs, run => Assert.True(run.Turns > 0, $"seed {seed}: {run.Demand.Run} never had a turn"));
        }
    }

    /// <summary>A site that works on, second by second: each turn takes as long as its run's, and after a rest that run wants the next.</summary>
    private static Dictionary<string, double> Serve(IReadOnlyList<Contender> runs, int hours)
    {
        var turns = Attending();
        var now = 0;
        while (now < hours * 3600)
        {
            turns = turns.Look([.. runs.Where(run => run.WantsFrom <= now).Select(run => run.Demand)], At(now));
            if (turns.InWork is not [var work])
            {
                now = runs.Min(run => run.WantsFrom);
                continue;
            }

            var run = runs.Single(run => run.Demand == work);
            run.LongestWait = Math.Max(run.LongestWait, now - run.WantsFrom);
            run.Turns++;
            now += run.Takes;
            run.WantsFrom = now + run.Rests;
            run.Demand = work with { Round = work.Round + 1, OpenedAt = Noon.AddSeconds(run.WantsFrom) };
        }

        return runs.ToDictionary(run => run.Demand.Run.ToString(), run => (double)run.Turns * run.Takes);
    }

    private static SiteTurns Attending() => SiteTurns.Away.Enter([], At(0));

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static SiteDemand Demand(string name, JobPriority priority = JobPriority.Normal) =>
        new(RunId.Parse("run-" + name), 1, name, priority, Noon, IsBlind: false, CanBegin: true, IsPaused: false);

    private sealed class Contender(SiteDemand demand, int takes)
    {
        public SiteDemand Demand { get; set; } = demand;

        public int Takes => takes;

        public int Rests { get; init; }

        public int WantsFrom { get; set; }

        public int Turns { get; set; }

        public int LongestWait { get; set; }
    }
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Rounds;

public sealed class RunProtocolTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly ModelRef Merged = new(Sha256Digest.Of("merged"u8), 1000);

    [Fact]
    public void Stored_GoodUpdate_IsEnteredAndNotedBeforeItIsAnswered()
    {
        var (state, effects) = Step(Opened(), Stored(Plans.East));

        Assert.Equal([typeof(RunEffect.Append), typeof(RunEffect.Note), typeof(RunEffect.Answer)], effects.Select(effect => effect.GetType()));
        Assert.Equal(new RunEffect.Answer(UploadOutcome.Accepted), effects[^1]);
        Assert.True(state.OpenRound!.Accepted.ContainsKey(Plans.East));
    }

    [Fact]
    public void Announced_UpdateAcceptedInAnEarlierRound_IsAcknowledgedAgainAndEnteredNoMore()
    {
        var state = Told(Opened(), Stored(Plans.East), Stored(Plans.North), new RunInput.Continued());
        state = Told(state, new RunInput.Merged { Round = state.OpenRound!, Model = Merged }, new RunInput.Continued());
        Assert.Equal(2, state.OpenRound!.Plan.Round);

        var effects = Step(state, new RunInput.Announced(Plans.East, Digest(Plans.East))).Effects;

        Assert.Equal([new RunEffect.Note(), new RunEffect.Answer(UploadOutcome.Accepted)], effects);
    }

    [Fact]
    public void Announced_SecondUpdateOfASite_IsRefusedBeforeAByteIsRead()
    {
        var state = Told(Opened(), Stored(Plans.East));

        var effects = Step(state, new RunInput.Announced(Plans.East, Sha256Digest.Of("another"u8))).Effects;

        Assert.Equal([new RunEffect.Answer(UploadOutcome.AlreadyAnswered)], effects);
    }

    [Fact]
    public void Stored_AfterTheRoundItWasMadeFor_IsRefused()
    {
        var state = Told(Opened(quorum: 1), Stored(Plans.East));
        state = Told(state, new RunInput.Merged { Round = state.OpenRound!, Model = Merged }, new RunInput.Continued());

        Assert.Equal([new RunEffect.Answer(UploadOutcome.RoundNotOpen)], Step(state, Stored(Plans.North)).Effects);
    }

    [Fact]
    public void Merged_WithAnUpdateAcceptedMeanwhile_MergesAgainWithIt()
    {
        var before = Told(Opened(quorum: 1), Stored(Plans.East));
        var after = Told(before, Stored(Plans.North));

        var (state, effects) = Step(after, new RunInput.Merged { Round = before.OpenRound!, Model = Merged });

        Assert.Null(state.Rounds[0].ClosedAt);
        Assert.Equal([Plans.East, Plans.North], Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(effects)).Round.Accepted.Keys);
    }

    [Fact]
    public void Merged_RunWasCancelledMeanwhile_ChangesNothing()
    {
        var state = Told(Opened(), Stored(Plans.East), Stored(Plans.North));
        var cancelled = Told(state, new RunInput.Cancelled("ada"));

        var step = Step(cancelled, new RunInput.Merged { Round = state.OpenRound!, Model = Merged });

        Assert.Empty(step.Effects);
        Assert.Equal(Plans.InitialModel, step.State.Model);
    }

    [Fact]
    public void Continued_QuorumAtTheDeadline_MergesWithoutTheSilentSite()
    {
        var state = Told(Opened(quorum: 1), Stored(Plans.East));

        Assert.Equal([new RunEffect.Await(TimeSpan.FromMinutes(1))], Step(state, new RunInput.Continued()).Effects);
        Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(Step(state, new RunInput.Continued { OpenFor = TimeSpan.FromMinutes(1) }).Effects));
    }

    [Fact]
    public void Continued_DeadlineWithoutAQuorum_WaitsForTheGraceAndNoLonger()
    {
        var state = Told(Opened(job => job with { GraceMinutes = 0.5 }), Stored(Plans.East));

        Assert.Equal([new RunEffect.Await(TimeSpan.FromSeconds(90))], Step(state, Seen(60)).Effects);
        Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(Step(Told(state, Stored(Plans.North)), Seen(61)).Effects));
        Assert.Equal(RunOutcome.Failed, Told(state, Seen(90)).End!.Outcome);
    }

    [Fact]
    public void Continued_RequiredSiteIsMissing_DoesNotCloseWithoutIt()
    {
        var state = Told(Opened(job => job with { Quorum = 1, RequiredSites = [Plans.North] }), Stored(Plans.East));

        var end = Told(state, Seen(60)).End!;

        Assert.Equal("Round 1 had no update of north, without which it must not close (north: no answer by the deadline).", end.Reason);
        Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(Step(Told(state, Stored(Plans.North)), new RunInput.Continued()).Effects));
    }

    [Fact]
    public void Continued_RequiredSiteDeclines_FailsAtOnceAndSaysWhy()
    {
        var state = Told(Opened(job => job with { Quorum = 1, RequiredSites = [Plans.North] }), new RunInput.Declined(Plans.North, 1, DropReason.OutOfMemory));

        Assert.Contains("north: OutOfMemory", Told(state, new RunInput.Continued()).End!.Reason);
    }

    [Theory]
    [InlineData(20, RunOutcome.Completed)]
    [InlineData(21, RunOutcome.Failed)]
    public void Continued_FewerCasesThanTheJobAsks_Fails(int minimum, RunOutcome expected)
    {
        var state = Told(Opened(job => job with { MinimumCasesPerRound = minimum }), Stored(Plans.East), Stored(Plans.North));

        var (after, effects) = Step(state, new RunInput.Continued());

        if (expected == RunOutcome.Failed) Assert.StartsWith("Round 1 had 20 of the 21 training cases it needs", after.End!.Reason);
        else Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(effects));
    }

    /// <summary>A dead site costs its run one deadline, not one a round.</summary>
    [Fact]
    public void Continued_SiteThatWasSilentAndIsAway_IsWaitedForShortlyInTheNextRound()
    {
        var state = SecondRoundWithoutNorth();

        Assert.Equal([new RunEffect.Await(TimeSpan.FromSeconds(90))], Step(state, Seen(89)).Effects);
        Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(Step(state, Seen(90)).Effects));
    }

    [Fact]
    public void Continued_SiteThatWasSilentAndIsBack_IsWaitedForUntilTheDeadline()
    {
        var state = SecondRoundWithoutNorth();

        Assert.Equal([new RunEffect.Await(TimeSpan.FromMinutes(10))], Step(state, Seen(90) with { Attending = new HashSet<SiteId> { Plans.North } }).Effects);
    }

    [Fact]
    public void Paused_Run_AsksNothingNewTakesWhatComesAndRunsNoDeadline()
    {
        var state = Told(Opened(), new RunInput.Paused("ada"));

        Assert.Empty(Step(state, new RunInput.Asked(Plans.East, HoldsSomething: false, HasTurn: true)).Effects);
        Assert.Equal([new RunEffect.Await(Timeout.InfiniteTimeSpan)], Step(state, Seen(10_000)).Effects);
        state = Told(state, Stored(Plans.East), Stored(Plans.North));
        Assert.Equal([new RunEffect.Await(Timeout.InfiniteTimeSpan)], Step(state, new RunInput.Continued()).Effects);

        state = Told(state, new RunInput.Unpaused("ada"));
        Assert.IsType<RunEffect.AwaitMergeTurn>(Assert.Single(Step(state, new RunInput.Continued()).Effects));
    }

    [Fact]
    public void Paused_RunIsCancelled_Ends() =>
        Assert.Equal(RunOutcome.Cancelled, Told(Opened(), new RunInput.Paused("ada"), new RunInput.Cancelled("ada")).End!.Outcome);

    [Fact]
    public void Paused_Twice_IsEnteredOnce() => Assert.Empty(Step(Told(Opened(), new RunInput.Paused("ada")), new RunInput.Paused("ada")).Effects);

    [Fact]
    public void Declined_ByASiteThatIsNotAsked_IsIgnored() =>
        Assert.Empty(Step(Opened(), new RunInput.Declined(SiteId.Parse("stranger"), 1, DropReason.OutOfMemory)).Effects);

    [Fact]
    public void Asked_RunIsOver_ReleasesOnlyASiteThatHoldsSomething()
    {
        var state = Told(Opened(), new RunInput.Cancelled("ada"));

        Assert.Equal([new RunEffect.Release()], Step(state, new RunInput.Asked(Plans.East, HoldsSomething: true, HasTurn: true)).Effects);
        Assert.Empty(Step(state, new RunInput.Asked(Plans.East, HoldsSomething: false, HasTurn: true)).Effects);
    }

    [Fact]
    public void Continued_RequiredSiteWorksForAnotherRun_IsBusyAndNotDead()
    {
        var state = Told(Opened(job => job with { Quorum = 1, RequiredSites = [Plans.North] }), Stored(Plans.East));
        RunInput.Continued Busy(int seconds, int heldUp) =>
            Seen(seconds) with { HeldUp = new Dictionary<SiteId, TimeSpan> { [Plans.North] = TimeSpan.FromSeconds(heldUp) } };

        Assert.Equal([new RunEffect.Await(TimeSpan.FromSeconds(1060))], Step(state, Busy(1000, heldUp: 1000)).Effects);
        Assert.Equal(RunOutcome.Failed, Told(state, Busy(1060, heldUp: 1000)).End!.Outcome);
    }

    [Fact]
    public void Asked_OutOfTurn_GetsNothing() => Assert.Empty(Step(Opened(), new RunInput.Asked(Plans.East, HoldsSomething: true, HasTurn: false)).Effects);

    [Fact]
    public void Asked_RoundWaitsForAPersonOfTheSite_IsToldAgainWithoutATurn()
    {
        var state = Told(Opened(), new RunInput.AwaitsReview(Plans.East, 1));

        Assert.IsType<RunEffect.Assign>(Assert.Single(Step(state, new RunInput.Asked(Plans.East, HoldsSomething: true, HasTurn: false)).Effects));
    }

    [Fact]
    public void MergeTurn_RoundToMerge_IsEnteredBeforeItBegins()
    {
        var (state, effects) = Step(Told(Opened(), Stored(Plans.East), Stored(Plans.North)), Turn());

        Assert.Equal([typeof(RunEffect.Append), typeof(RunEffect.Merge)], effects.Select(effect => effect.GetType()));
        Assert.Equal(1, state.OpenRound!.MergeAttempts);
    }

    [Fact]
    public void MergeTurn_MergeNeverEnded_GivesTheRunUp()
    {
        var state = Told(Opened(), Stored(Plans.East), Stored(Plans.North));
        for (var attempt = 1; attempt <= RunProtocol.MaximumMergeAttempts; attempt++) state = Told(state, new RunInput.Resumed(), Turn());
        Assert.Null(state.End);

        state = Told(state, Turn());

        Assert.Equal(RunOutcome.Failed, state.End!.Outcome);
        Assert.Contains("begun 5 times", state.End.Reason);
    }

    [Fact]
    public void MergeTurn_AnotherUpdateCameMeanwhile_CountsAnew()
    {
        var state = Told(Opened(quorum: 1), Stored(Plans.East), Turn(), Turn(), Stored(Plans.North));

        Assert.Equal(0, state.OpenRound!.MergeAttempts);
    }

    /// <summary>A full disk is not the round's fault, and may stay full for days.</summary>
    [Fact]
    public void MergeTurn_PutOffForWantOfRoom_IsNotCounted()
    {
        var state = Told(Opened(), Stored(Plans.East), Stored(Plans.North), Turn());

        var step = Step(state, new RunInput.MergeTurn(1, WasPutOff: true));

        Assert.IsType<RunEffect.Merge>(Assert.Single(step.Effects));
        Assert.Equal(1, step.State.OpenRound!.MergeAttempts);
    }

    private static RunInput.MergeTurn Turn() => new(1, WasPutOff: false);

    private static RunState SecondRoundWithoutNorth()
    {
        var state = Told(Opened(job => job with { Quorum = 1, RoundDeadlineMinutes = 10 }), Stored(Plans.East));
        state = Told(state, new RunInput.Merged { Round = state.OpenRound!, Model = Merged }, new RunInput.Continued());
        return Told(state, Stored(Plans.East, 2));
    }

    private static RunInput.Continued Seen(int seconds) => new() { OpenFor = TimeSpan.FromSeconds(seconds) };

    private static RunState Opened(int quorum = 2) => Opened(job => job with { Quorum = quorum });

    private static RunState Opened(Func<JobSpec, JobSpec> change)
    {
        var created = new RunEvent.Created { At = Noon, Job = change(Plans.Job()), SubmittedBy = "ada", InitialModel = Plans.InitialModel };
        return Told(RunState.Apply(null, Plans.Run, created), new RunInput.Continued());
    }

    private static RunState Told(RunState state, params RunInput[] inputs) => inputs.Aggregate(state, (now, input) => Step(now, input).State);

    private static RunStep Step(RunState state, RunInput input) => RunProtocol.Step(state, input, Noon);

    private static RunInput.Stored Stored(SiteId site, int round = 1) => new()
    {
        Report = Plans.Report(site, round, Plans.Plan(round)),
        Digest = round == 1 ? Digest(site) : Sha256Digest.Of([(byte)round]),
        Weights = new ModelRef(Sha256Digest.Of("weights"u8), 7),
        Signature = "",
    };

    private static Sha256Digest Digest(SiteId site) => Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(site.ToString()));
}

using FedSeg.Federation.Identity;
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
        Assert.Equal([Plans.East, Plans.North], Assert.IsType<RunEffect.Merge>(Assert.Single(effects)).Round.Accepted.Keys);
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

        Assert.Equal([new RunEffect.Await(1, TimeSpan.FromMinutes(1))], Step(state, new RunInput.Continued()).Effects);
        Assert.IsType<RunEffect.Merge>(Assert.Single(Step(state, new RunInput.Continued { DeadlineOf = 1 }).Effects));
    }

    [Fact]
    public void Continued_DeadlineOfAnEarlierRound_IsNoDeadline()
    {
        var state = Told(Opened(quorum: 1), Stored(Plans.East));
        state = Told(state, new RunInput.Merged { Round = state.OpenRound!, Model = Merged }, new RunInput.Continued());

        Assert.IsType<RunEffect.Await>(Assert.Single(Step(state, new RunInput.Continued { DeadlineOf = 1 }).Effects));
    }

    [Fact]
    public void Declined_ByASiteThatIsNotAsked_IsIgnored() =>
        Assert.Empty(Step(Opened(), new RunInput.Declined(SiteId.Parse("stranger"), 1, DropReason.OutOfMemory)).Effects);

    [Fact]
    public void Asked_RunIsOver_ReleasesOnlyASiteThatHoldsSomething()
    {
        var state = Told(Opened(), new RunInput.Cancelled("ada"));

        Assert.Equal([new RunEffect.Release()], Step(state, new RunInput.Asked(Plans.East, HoldsSomething: true)).Effects);
        Assert.Empty(Step(state, new RunInput.Asked(Plans.East, HoldsSomething: false)).Effects);
    }

    private static RunState Opened(int quorum = 2)
    {
        var created = new RunEvent.Created { At = Noon, Job = Plans.Job(quorum: quorum), SubmittedBy = "ada", InitialModel = Plans.InitialModel };
        return Told(RunState.Apply(null, Plans.Run, created), new RunInput.Continued());
    }

    private static RunState Told(RunState state, params RunInput[] inputs) => inputs.Aggregate(state, (now, input) => Step(now, input).State);

    private static RunStep Step(RunState state, RunInput input) => RunProtocol.Step(state, input, Noon);

    private static RunInput.Stored Stored(SiteId site) => new()
    {
        Report = Plans.Report(site, 1, Plans.Plan()),
        Digest = Digest(site),
        Weights = new ModelRef(Sha256Digest.Of("weights"u8), 7),
        Signature = "",
    };

    private static Sha256Digest Digest(SiteId site) => Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(site.ToString()));
}

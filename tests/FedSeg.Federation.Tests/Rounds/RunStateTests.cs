using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Rounds;

public sealed class RunStateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Apply_WholeRun_EndsWithTheLastModel()
    {
        var model = new ModelRef(Sha256Digest.Of("round 1"u8), 1000);
        var state = Fold(Created(Plans.Job(rounds: 1)), Opened(1, Plans.InitialModel), Accepted(Plans.East, 1), Accepted(Plans.North, 1), Closed(1, model), Opened(2, model), Closed(2, null));

        Assert.Equal(model, state.Model);
        Assert.True(state.IsDone);
        Assert.Equal(RoundTask.Evaluate, state.Rounds[1].Plan.Task);
    }

    [Fact]
    public void Apply_SameSiteTwice_Throws() =>
        Assert.Throws<InvalidOperationException>(() => Fold(Created(Plans.Job()), Opened(1, Plans.InitialModel), Accepted(Plans.East, 1), Accepted(Plans.East, 1)));

    [Fact]
    public void Apply_UpdateOfAnotherRound_Throws() =>
        Assert.Throws<InvalidOperationException>(() => Fold(Created(Plans.Job()), Opened(1, Plans.InitialModel), Accepted(Plans.East, 2)));

    [Fact]
    public void Apply_RoundOnAnotherBase_Throws() =>
        Assert.Throws<InvalidOperationException>(() => Fold(Created(Plans.Job()), Opened(1, new ModelRef(Sha256Digest.Of("other"u8), 1))));

    [Fact]
    public void Apply_AnythingAfterTheEnd_Throws()
    {
        var ended = new RunEvent.Ended { At = Noon, Outcome = RunOutcome.Cancelled, Reason = "test" };

        Assert.Throws<InvalidOperationException>(() => Fold(Created(Plans.Job()), ended, Opened(1, Plans.InitialModel)));
    }

    [Fact]
    public void Json_EveryEvent_RoundTrips()
    {
        RunEvent[] events =
        [
            Created(Plans.Job()), Opened(1, Plans.InitialModel), Accepted(Plans.East, 1),
            new RunEvent.SiteDropped { At = Noon, Round = 1, Site = Plans.North, Reason = DropReason.OutOfMemory },
            new RunEvent.SiteWaits { At = Noon, Round = 1, Site = Plans.North },
            new RunEvent.Paused { At = Noon, By = "ada" }, new RunEvent.Unpaused { At = Noon, By = "ada" },
            Closed(1, null), new RunEvent.Ended { At = Noon, Outcome = RunOutcome.Completed, Reason = "done" },
        ];

        Assert.All(events, next => Assert.Equal(next.ToJson(), RunEvent.FromJson(next.ToJson()).ToJson()));
    }

    [Theory]
    [InlineData(0, 0, 0, RoundVerdict.Wait)]
    [InlineData(1, 0, 0, RoundVerdict.Wait)]
    [InlineData(2, 0, 0, RoundVerdict.Close)]
    [InlineData(1, 1, 0, RoundVerdict.QuorumLost)]
    [InlineData(1, 0, 60, RoundVerdict.QuorumLost)]
    public void Judge_QuorumOfTwoSites_DecidesAsTheSitesAnswer(int accepted, int dropped, int seconds, RoundVerdict expected)
    {
        var round = Fold(Created(Plans.Job()), Opened(1, Plans.InitialModel)).OpenRound!;
        SiteId[] sites = [Plans.East, Plans.North];
        foreach (var site in sites.Take(accepted)) round = round with { Accepted = round.Accepted.Add(site, Accepted(site, 1)) };
        foreach (var site in sites.Skip(accepted).Take(dropped)) round = round with { Dropped = round.Dropped.Add(site, DropReason.NotFinite) };

        Assert.Equal(expected, RoundRules.Judge(Plans.Job(), round, null, new RunInput.Continued { OpenFor = TimeSpan.FromSeconds(seconds) }));
    }

    private static RunState Fold(params RunEvent[] events) =>
        events.Aggregate((RunState?)null, (state, next) => RunState.Apply(state, Plans.Run, next))!;

    private static RunEvent.Created Created(JobSpec job) => new() { At = Noon, Job = job, SubmittedBy = "ada", InitialModel = Plans.InitialModel };

    private static RunEvent.RoundOpened Opened(int round, ModelRef model) => new() { At = Noon, Round = round, BaseModel = model };

    private static RunEvent.RoundClosed Closed(int round, ModelRef? model) => new() { At = Noon, Round = round, Model = model };

    private static RunEvent.UpdateAccepted Accepted(SiteId site, int round) => new()
    {
        At = Noon,
        Report = Plans.Report(site, round, Plans.Plan(round)),
        Digest = Sha256Digest.Of("update"u8),
        Weights = Plans.InitialModel,
        Signature = "c2ln",
    };
}

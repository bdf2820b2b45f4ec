using FedSeg.Federation.Assignments;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Assignments;

public sealed class AssignmentProtocolTests
{
    private static readonly RoundPlan Plan = Plans.Plan();
    private static readonly Sha256Digest Update = Sha256Digest.Of("update"u8);
    private static readonly ModelUpdate Trained = new(Plans.Report(Plans.East, 1, Plan), "update.safetensors");

    [Fact]
    public void Step_RoundWithoutTrouble_GoesFromTheModelToTheLedger()
    {
        var (state, doing) = Follow(
            Assigned(),
            new AssignmentInput.Recalled(null),
            new AssignmentInput.ModelFetched(),
            new AssignmentInput.Trained(Trained),
            new AssignmentInput.UpdateCleared(Update),
            new AssignmentInput.Delivered(Accepted: true),
            new AssignmentInput.Recorded(),
            new AssignmentInput.Cosigned());

        Assert.Equal(
            [
                new AssignmentEffect.Recall(Plan),
                new AssignmentEffect.FetchModel(Plan),
                new AssignmentEffect.Train(Plan),
                new AssignmentEffect.ClearUpdate(Plan, Trained),
                new AssignmentEffect.SendUpdate(Plan, Update),
                new AssignmentEffect.RecordSent(Plan, Update, Accepted: true),
                new AssignmentEffect.Cosign(Plan),
            ],
            doing);
        Assert.Null(state.Current);
        Assert.Equal([Plan.Run], state.Held);
    }

    [Fact]
    public void Step_UpdateApprovedBeforeACrash_IsSentAndNotTrainedAgain() =>
        Assert.Equal(new AssignmentEffect.SendUpdate(Plan, Update), Follow(Assigned(), new AssignmentInput.Recalled(Update)).Doing[^1]);

    [Fact]
    public void Step_PlanNotApproved_IsAnsweredAndNeverTrained() =>
        Assert.Equal([new AssignmentEffect.ClearNotice(Plan, DropReason.PlanRefused)], Follow(Assigned(approved: false)).Doing);

    /// <summary>It comes again, signed anew; nobody at the site has said no.</summary>
    [Fact]
    public void Step_SignatureEndedWhileItWaited_LeavesTheRoundWithoutAWordAndTakesItWhenItComesAgain()
    {
        var anew = new AssignmentEffect.AttendAnew(TimeSpan.Zero);
        var (state, doing) = Follow(Assigned(), new AssignmentInput.Lapsed());
        Assert.Equal([new AssignmentEffect.Recall(Plan), anew], doing);
        Assert.Null(state.Current);
        Assert.Equal([Plan.Run], state.Held);

        Assert.Equal([new AssignmentEffect.Recall(Plan), anew, new AssignmentEffect.Recall(Plan)], Follow(Assigned(), new AssignmentInput.Lapsed(), Assigned()).Doing);
    }

    [Fact]
    public void Step_TrainerFails_SendsItsReason()
    {
        var (_, doing) = Follow(
            Assigned(),
            new AssignmentInput.Recalled(null),
            new AssignmentInput.ModelFetched(),
            new AssignmentInput.TrainingFailed(DropReason.OutOfMemory),
            new AssignmentInput.NoticeCleared());

        Assert.Equal(new AssignmentEffect.SendNotice(Plan, DropReason.OutOfMemory), doing[^1]);
    }

    [Fact]
    public void Step_StepBreaksBeforeTheApproval_IsToldToTheCoordinator()
    {
        AssignmentInput[][] befores =
        [
            [],
            [new AssignmentInput.Recalled(null)],
            [new AssignmentInput.Recalled(null), new AssignmentInput.ModelFetched()],
            [new AssignmentInput.Recalled(null), new AssignmentInput.ModelFetched(), new AssignmentInput.Trained(Trained)],
        ];

        foreach (var before in befores)
        {
            var doing = Follow([Assigned(), .. before, new AssignmentInput.Broke()]).Doing;
            Assert.Equal(new AssignmentEffect.ClearNotice(Plan, DropReason.TrainerFault), doing[^1]);
        }
    }

    /// <summary>Whether it counts is for the coordinator to say, so nothing is declined; the next round is begun.</summary>
    [Fact]
    public void Step_StepBreaksAfterTheApproval_LeavesTheRoundAndGoesOn()
    {
        AssignmentInput[][] befores = [[new AssignmentInput.Recalled(Update)], [new AssignmentInput.Recalled(Update), new AssignmentInput.Delivered(Accepted: true)]];

        foreach (var before in befores)
        {
            var (state, doing) = Follow([Assigned(), .. before, new AssignmentInput.Broke(), new AssignmentInput.Broke()]);
            Assert.Equal([new AssignmentEffect.Cosign(Plan), new AssignmentEffect.AttendAnew(TimeSpan.FromSeconds(1))], doing[^2..]);
            Assert.Null(state.Current);
        }
    }

    /// <summary>The coordinator hands a round out once on a connection. Where not even a notice could leave, it must be asked for again, at last once in a quarter of an hour.</summary>
    [Fact]
    public void Step_NoticesAreRefusedAgainAndAgain_AttendsAnewLaterAndLater()
    {
        AssignmentInput[] refused = [Assigned(), new AssignmentInput.RefusedByPeople(DropReason.SitePaused), new AssignmentInput.NoticeRefused(), new AssignmentInput.Cosigned()];
        var (state, doing) = Follow([.. Enumerable.Repeat(refused, 12).SelectMany(inputs => inputs)]);

        var waits = doing.OfType<AssignmentEffect.AttendAnew>().Select(anew => anew.Within.TotalSeconds).ToList();
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900], waits);
        Assert.Empty(state.InHand);
    }

    [Fact]
    public void Step_RoundIsAnsweredAfterOneThatWasNot_BeginsAnewWithAShortWait()
    {
        AssignmentInput[] refused = [Assigned(), new AssignmentInput.RefusedByPeople(DropReason.SitePaused), new AssignmentInput.NoticeRefused(), new AssignmentInput.Cosigned()];
        AssignmentInput[] told =
        [
            .. refused[..2], new AssignmentInput.NoticeCleared(), new AssignmentInput.Delivered(Accepted: true), new AssignmentInput.Recorded(), new AssignmentInput.Cosigned(),
        ];

        var doing = Follow([.. refused, .. refused, .. told, .. refused]).Doing;

        Assert.Equal([1, 2, 1], doing.OfType<AssignmentEffect.AttendAnew>().Select(anew => anew.Within.TotalSeconds));
    }

    [Fact]
    public void Step_NoticeThatAPersonDecidesBreaks_TheRoundWaitsForThePerson()
    {
        var state = Follow(Assigned(), new AssignmentInput.AwaitsReview(), new AssignmentInput.Broke(), new AssignmentInput.Cosigned()).State;

        Assert.Null(state.Current);
        Assert.Single(state.InReview);
    }

    [Fact]
    public void Step_ConnectionLostAgainAndAgain_WaitsLongerUpToEightSecondsAndDoesTheSameStep()
    {
        var state = Follow(Assigned(), new AssignmentInput.Recalled(Update)).State;
        var waits = new List<double>();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            (state, var effects) = AssignmentProtocol.Step(state, new AssignmentInput.ConnectionLost());
            waits.Add(Assert.IsType<AssignmentEffect.Wait>(Assert.Single(effects)).Time.TotalSeconds);
            (state, effects) = AssignmentProtocol.Step(state, new AssignmentInput.WaitOver());
            Assert.Equal(new AssignmentEffect.SendUpdate(Plan, Update), Assert.Single(effects));
        }

        Assert.Equal([1, 2, 4, 8, 8], waits);
    }

    [Fact]
    public void Step_DiskRefuses_StartsTheRoundAgainLater()
    {
        var (_, doing) = Follow(
            Assigned(),
            new AssignmentInput.Recalled(null),
            new AssignmentInput.ModelFetched(),
            new AssignmentInput.Trained(Trained),
            new AssignmentInput.StorageFailed(),
            new AssignmentInput.WaitOver());

        Assert.Equal([new AssignmentEffect.Wait(Plan, TimeSpan.FromSeconds(15)), new AssignmentEffect.Recall(Plan)], doing[^2..]);
    }

    [Fact]
    public void Step_RunEndsWhileItIsTrained_StopsAndFreesTheRunAndTakesTheNext()
    {
        var other = Plan with { Run = RunId.Parse("run-other") };
        var (state, doing) = Follow(
            Assigned(),
            new AssignmentInput.RoundAssigned(other, Approved: true),
            new AssignmentInput.Recalled(null),
            new AssignmentInput.ModelFetched(),
            new AssignmentInput.RunEnded(Plan.Run),
            new AssignmentInput.Stopped(),
            new AssignmentInput.RunFreed(Plan.Run));

        Assert.Equal([new AssignmentEffect.Stop(TimeSpan.Zero), new AssignmentEffect.Free(Plan.Run), new AssignmentEffect.Recall(other)], doing[^3..]);
        Assert.Equal([other.Run], state.Held);
    }

    [Fact]
    public void Step_RunEndsAndTheAnswerWasOnItsWay_StillRecordsWhatLeftAndHasItCosigned()
    {
        var (_, doing) = Follow(
            Assigned(),
            new AssignmentInput.Recalled(Update),
            new AssignmentInput.RunEnded(Plan.Run),
            new AssignmentInput.Delivered(Accepted: true),
            new AssignmentInput.Recorded(),
            new AssignmentInput.Cosigned());

        Assert.Equal(
            [
                new AssignmentEffect.Stop(TimeSpan.FromSeconds(5)),
                new AssignmentEffect.RecordSent(Plan, Update, Accepted: true),
                new AssignmentEffect.Cosign(Plan),
                new AssignmentEffect.Free(Plan.Run),
            ], doing[^4..]);
    }

    /// <summary>The round's own update ends the run, so the news of it comes in just these steps.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Step_RunEndsAfterTheAnswer_GivesTheLastStepsTime(int inputs)
    {
        AssignmentInput[] before = [Assigned(), new AssignmentInput.Recalled(Update), new AssignmentInput.Delivered(Accepted: true), new AssignmentInput.Recorded()];

        Assert.Equal(new AssignmentEffect.Stop(TimeSpan.FromSeconds(5)), Follow([.. before[..inputs], new AssignmentInput.RunEnded(Plan.Run)]).Doing[^1]);
    }

    [Fact]
    public void Step_RunEndsBetweenItsRounds_IsFreed()
    {
        var (state, effects) = AssignmentProtocol.Step(AssignmentState.Idle with { Held = [Plan.Run] }, new AssignmentInput.RunEnded(Plan.Run));

        Assert.Equal([new AssignmentEffect.Free(Plan.Run)], effects);
        Assert.Empty(AssignmentProtocol.Step(state, new AssignmentInput.RunFreed(Plan.Run)).State.Held);
    }

    [Fact]
    public void Step_SameRoundAssignedAgain_IsNotTakenTwice() => Assert.Single(Follow(Assigned(), Assigned(), Assigned()).Doing);

    [Fact]
    public void Step_PersonHasToDecide_TellsTheCoordinatorAndTakesTheRoundUpAgainAfterwards()
    {
        var (state, doing) = Follow(ToReview);
        Assert.Equal([new AssignmentEffect.ClearNotice(Plan, null), new AssignmentEffect.SendNotice(Plan, null), new AssignmentEffect.RecordNotice(Plan, null), new AssignmentEffect.Cosign(Plan)], doing[^4..]);
        Assert.Null(state.Current);
        Assert.Equal([Assigned()], state.InReview);

        (state, var effects) = AssignmentProtocol.Step(state, new AssignmentInput.Reviewed(Plan.Run));
        Assert.Equal([new AssignmentEffect.Recall(Plan)], effects);
        Assert.Equal([new AssignmentEffect.SendUpdate(Plan, Update)], AssignmentProtocol.Step(state, new AssignmentInput.Recalled(Update)).Effects);
    }

    [Fact]
    public void Step_DecidedBeforeTheCoordinatorWasTold_IsNotForgotten()
    {
        var (state, doing) = Follow([.. ToReview[..^2], new AssignmentInput.Reviewed(Plan.Run), .. ToReview[^2..]]);

        Assert.Equal(new AssignmentEffect.Recall(Plan), doing[^1]);
        Assert.Empty(state.InReview);
    }

    [Fact]
    public void Step_OtherRunWhileOneIsInReview_IsWorkedOn()
    {
        var other = Plan with { Run = RunId.Parse("run-other") };

        Assert.Equal(new AssignmentEffect.Recall(other), Follow([.. ToReview, new AssignmentInput.RoundAssigned(other, Approved: true)]).Doing[^1]);
    }

    [Fact]
    public void Step_NextRoundOrEndOfTheRun_EndsTheReview()
    {
        Assert.Empty(Follow([.. ToReview, new AssignmentInput.RoundAssigned(Plan with { Round = 2 }, Approved: true)]).State.InReview);
        Assert.Empty(Follow([.. ToReview, new AssignmentInput.RunEnded(Plan.Run)]).State.InReview);
    }

    [Fact]
    public void Step_RefusedByPeople_SendsTheirReason() =>
        Assert.Equal(
            new AssignmentEffect.ClearNotice(Plan, DropReason.RefusedInReview),
            Follow(Assigned(), new AssignmentInput.RefusedByPeople(DropReason.RefusedInReview)).Doing[^1]);

    [Fact]
    public void Step_Halted_StopsAndForgetsWhatWaits()
    {
        var other = new AssignmentInput.RoundAssigned(Plan with { Run = RunId.Parse("run-other") }, Approved: true);
        var (state, doing) = Follow([.. ToReview, other, new AssignmentInput.Recalled(null), Assigned(), new AssignmentInput.Halted()]);
        Assert.Equal(new AssignmentEffect.Stop(TimeSpan.Zero), doing[^1]);
        Assert.Empty(state.Waiting);
        Assert.Empty(state.InReview);

        (state, var effects) = AssignmentProtocol.Step(state, new AssignmentInput.Stopped());
        Assert.Equal([new AssignmentEffect.Drop(other.Plan.Run)], effects);
        Assert.Null(state.Current);
        Assert.Contains(other.Plan.Run, state.Held);
    }

    /// <summary>The run goes on after the switch was released, with its split and its sites' own weights; one that ended meanwhile is over all the same.</summary>
    [Fact]
    public void Step_RunEndsWhileTheSwitchStopsIt_FreesIt()
    {
        var doing = Follow(Assigned(), new AssignmentInput.Halted(), new AssignmentInput.RunEnded(Plan.Run), new AssignmentInput.Stopped()).Doing;

        Assert.Equal(new AssignmentEffect.Free(Plan.Run), doing[^1]);
    }

    /// <summary>What waits for a person is still there when the clocks agree again.</summary>
    [Fact]
    public void Step_PlanOfAnotherTime_IsAskedForAgainLaterAndLater()
    {
        var (state, doing) = Follow([.. ToReview, new AssignmentInput.PlanUntimely(), new AssignmentInput.PlanUntimely()]);

        Assert.Equal([1, 2], doing.OfType<AssignmentEffect.AttendAnew>().Select(anew => anew.Within.TotalSeconds));
        Assert.Single(state.InReview);
        Assert.Null(state.Current);
    }

    /// <summary>The coordinator has it already: trained again, the round would be refused, and cost the patients' privacy twice.</summary>
    [Fact]
    public void Step_DiskFullAfterTheDecline_NotesItWhenThereIsRoomAndTrainsNothing()
    {
        var doing = Follow(
            Assigned(), new AssignmentInput.RefusedByPeople(DropReason.SitePaused), new AssignmentInput.NoticeCleared(), new AssignmentInput.Delivered(Accepted: true),
            new AssignmentInput.StorageFailed(), new AssignmentInput.WaitOver()).Doing;

        var record = new AssignmentEffect.RecordNotice(Plan, DropReason.SitePaused);
        Assert.Equal([record, new AssignmentEffect.Wait(Plan, TimeSpan.FromSeconds(15)), record], doing[^3..]);
    }

    private static AssignmentInput[] ToReview =>
    [
        Assigned(), new AssignmentInput.Recalled(null), new AssignmentInput.ModelFetched(), new AssignmentInput.Trained(Trained), new AssignmentInput.AwaitsReview(),
        new AssignmentInput.NoticeCleared(), new AssignmentInput.Delivered(Accepted: true), new AssignmentInput.Recorded(), new AssignmentInput.Cosigned(),
    ];

    private static AssignmentInput.RoundAssigned Assigned(bool approved = true) => new(Plan, approved);

    private static (AssignmentState State, List<AssignmentEffect> Doing) Follow(params AssignmentInput[] inputs)
    {
        var (state, doing) = (AssignmentState.Idle, new List<AssignmentEffect>());
        foreach (var input in inputs)
        {
            (state, var effects) = AssignmentProtocol.Step(state, input);
            doing.AddRange(effects);
        }

        return (state, doing);
    }
}

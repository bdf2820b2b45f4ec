using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Rounds;

/// <summary>A run whose network is planned from its sites' fingerprints before the first round.</summary>
public sealed class PlannedRunTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly ModelRef First = new(Sha256Digest.Of("first"u8), 1000);
    private static readonly JobSpec Job = Plans.ToBePlanned(Plans.Job(quorum: 1));

    [Fact]
    public void Continued_NewRun_AsksForFingerprintsBeforeAnyRound()
    {
        var asked = Told(Created(), new RunInput.Continued()).OpenRound!.Plan;

        Assert.Equal((RoundTask.Fingerprint, 0), (asked.Task, asked.Round));
        Assert.Equal(5, asked.Planning!.LeastCases);
        Assert.Equal((0L, 0L), (asked.BaseModelBytes, asked.UpdateBytes()));
        Assert.Equal(asked.ToBytes(), RoundPlan.FromBytes(asked.ToBytes()).ToBytes());
    }

    [Fact]
    public void Planned_EveryFingerprintCounted_FreezesThePlanAndTrainsExactlyThatNetwork()
    {
        var state = Surveyed(Plans.East, Plans.North);
        Assert.Equal(new RunEffect.PlanNetwork(state.OpenRound!), Assert.Single(Step(state, new RunInput.Continued()).Effects));
        var plan = PlanOf(state);

        var trained = Told(state, Planned(state, plan), new RunInput.Continued()).OpenRound!.Plan;

        Assert.Equal((RoundTask.Train, 1, First.Sha256), (trained.Task, trained.Round, trained.BaseModel));
        Assert.Equal(plan.Digest(), trained.TrainingPlan);
        Assert.Null(trained.Planning);
        Assert.Equal(plan.Main().Architecture, trained.Architecture);
        Assert.Equal(plan.Main().PatchVoxels, trained.Preprocessing.PatchVoxels);
        Assert.Equal((plan.Main().BatchSize, plan.Main().BatchDice), (trained.Recipe.BatchSize, trained.Recipe.BatchDice));
    }

    [Fact]
    public void Planned_AFingerprintWasAcceptedMeanwhile_PlansAgainWithIt()
    {
        var before = Surveyed(Plans.East);
        var after = Told(before, Stored(before.OpenRound!.Plan, Plans.North));

        var (state, effects) = Step(after, Planned(before, PlanOf(before)));

        Assert.Equal([new RunEffect.PlanNetwork(after.OpenRound!)], effects);
        Assert.Null(state.Plan);
    }

    [Fact]
    public void Planned_Twice_IsFrozenOnce()
    {
        var open = Surveyed(Plans.East, Plans.North);
        var frozen = Told(open, Planned(open, PlanOf(open)));

        Assert.Empty(Step(frozen, Planned(open, PlanOf(open))).Effects);
    }

    [Fact]
    public void Announced_FingerprintOfTheRoundBefore_IsAcknowledgedAgain()
    {
        var open = Surveyed(Plans.East, Plans.North);
        var training = Told(open, Planned(open, PlanOf(open)), new RunInput.Continued());

        Assert.Equal(
            [new RunEffect.Note(), new RunEffect.Answer(UploadOutcome.Accepted)],
            Step(training, new RunInput.Announced(Plans.East, Sha256Digest.Of("east"u8))).Effects);
    }

    [Fact]
    public void Apply_JournalReadAgain_IsTheSameRun()
    {
        var open = Surveyed(Plans.East, Plans.North);
        RunState state = Created();
        var events = new List<RunEvent>();
        RunInput[] inputs =
        [
            new RunInput.Continued(), Stored(open.OpenRound!.Plan, Plans.East), Stored(open.OpenRound.Plan, Plans.North), Planned(open, PlanOf(open)), new RunInput.Continued(),
        ];
        foreach (var input in inputs)
        {
            var (next, effects) = Step(state, input);
            events.AddRange(effects.OfType<RunEffect.Append>().Select(append => append.Event));
            state = next;
        }

        var again = events.Aggregate(Created(), (run, entered) => RunState.Apply(run, Plans.Run, RunEvent.FromJson(entered.ToJson())));

        Assert.Equal(state.OpenRound!.Plan.ToBytes(), again.OpenRound!.Plan.ToBytes());
        Assert.Equal(state.Plan!.Sha256, again.Plan!.Plan.Digest());
        Assert.Equal(again.Plan.Sha256, RunPlanning.Of(again.Job.Planning!, again.FingerprintRound!.Fingerprints).Digest());
    }

    [Fact]
    public void Continued_TooFewFingerprints_FailsAndSaysWhose()
    {
        var state = Told(Created(Job with { Quorum = 2 }), new RunInput.Continued());
        var declined = Told(state, new RunInput.Declined(Plans.North, 0, DropReason.TooFewCases));

        var ended = Told(declined, new RunInput.Continued()).End!;

        Assert.Equal(RunOutcome.Failed, ended.Outcome);
        Assert.Contains("north: TooFewCases", ended.Reason);
    }

    [Fact]
    public void Of_NetworkThatTheDataDoNotGive_IsRefusedWithThoseTheyDo()
    {
        var asked = Job.Planning! with { Configuration = "3d_lowres" };

        var error = Assert.Throws<PlanningException>(() => RunPlanning.Of(asked, [Plans.Fingerprint(cases: 8)]));

        Assert.Contains("only 3d_fullres, 2d", error.Message);
    }

    [Fact]
    public void Of_TwoDimensionsAskedFor_IsThePlansTwoDimensionalNetwork()
    {
        var asked = Job.Planning! with { Configuration = "2d", Preset = PlannerPresetName.Cpu };

        var job = (Job with { Planning = asked }).With(RunPlanning.Of(asked, [Plans.Fingerprint(cases: 8)]));

        Assert.Equal(1, job.Preprocessing.PatchVoxels[0]);
        Assert.True(job.Recipe.BatchDice);
    }

    [Fact]
    public void Suppress_MoreCasesAskedFor_LeavesOutWhatFewerFed()
    {
        var builder = new FingerprintBuilder("MR", ["kidney"]);
        for (var i = 0; i < 12; i++) builder.Add($"p{i}", [i < 7 ? 1 : 2, 1, 1], [40, 64, 64], 1, [0.5]);
        var told = builder.Seal(5)!;

        var suppressed = told.Suppress(6);

        // Five of twelve would be told by the seven: they count with them.
        Assert.Equal((5, 12), (told.SmallestCount(), suppressed.SmallestCount()));
        Assert.Equal(12, Assert.Single(suppressed.SpacingMm[0].Filled).Patients);
        Assert.Null(suppressed.Problem());
    }

    private static RunState Created(JobSpec? job = null) => RunState.Apply(
        null, Plans.Run, new RunEvent.Created { At = Noon, Job = job ?? Job, SubmittedBy = "ada", InitialModel = ModelRef.None });

    private static RunState Surveyed(params SiteId[] sites)
    {
        var open = Told(Created(), new RunInput.Continued());
        return Told(open, [.. sites.Select(site => Stored(open.OpenRound!.Plan, site))]);
    }

    private static RunInput.Stored Stored(RoundPlan plan, SiteId site) => new()
    {
        Report = SiteReport.Of(plan, site, Plans.Fingerprint(cases: site == Plans.East ? 8 : 9)),
        Digest = Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(site.ToString())),
        Weights = null,
        Signature = "",
    };

    private static RunInput.Planned Planned(RunState state, TrainingPlan plan) => new() { Round = state.OpenRound!, Plan = plan, InitialModel = First };

    private static TrainingPlan PlanOf(RunState state) => RunPlanning.Of(state.Job.Planning!, state.OpenRound!.Fingerprints);

    private static RunState Told(RunState state, params RunInput[] inputs) => inputs.Aggregate(state, (run, input) => Step(run, input).State);

    private static RunStep Step(RunState state, RunInput input) => RunProtocol.Step(state, input, Noon);
}

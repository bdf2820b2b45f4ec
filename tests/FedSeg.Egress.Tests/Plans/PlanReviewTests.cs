using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Tests.Plans;

public sealed class PlanReviewTests : IDisposable
{
    private const string Policy = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n";
    private static readonly SiteId[] Blind = [SiteId.Parse("east"), SiteId.Parse("north"), SiteId.Parse("south")];

    private const string Standing = "plansWithin: { maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000, labels: [anterior, posterior] }\n";

    private readonly HospitalOnDisk _hospital = new();
    private int _orders;

    public PlanReviewTests()
    {
        _hospital.WritePolicy(Policy);
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer), ("ben", DeskRole.PrivacyOfficer), ("olga", DeskRole.SiteOperator));
    }

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task ApprovePlan_NoStandingApproval_WaitsAndGivesNoApprovedPlan()
    {
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());

        Assert.Equal(["planRequested"], _hospital.Actions);
        Assert.Equal(RunTerms.HashOf(_hospital.Plan), waiting.Terms);
        _hospital.Restart();
        Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        Assert.Equal(["planRequested"], _hospital.Actions);
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(7, false)]
    public async Task ApprovePlan_ApprovedByAPersonLongAgo_AsksAgain(int days, bool holds)
    {
        _hospital.WritePolicy(Policy + "approvalDays: 7\n");
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        await _hospital.Gate.Desk.ObeyAsync(
            new DeskOrder.ApprovePlan { Id = Guid.NewGuid().ToString("N"), By = "anna", At = _hospital.Time.GetUtcNow(), Terms = waiting.Terms });
        _hospital.Time.Advance(TimeSpan.FromDays(days));

        Assert.Equal(holds, await AskAsync() is PlanOutcome.Approved);
        Assert.Equal(holds ? "roundOrdered" : "planRequested", _hospital.Actions[^1]);
    }

    [Fact]
    public async Task ApprovePlan_WithinTheStandingApproval_IsApprovedAndNotedOnce()
    {
        _hospital.WritePolicy(Policy + Standing);

        Assert.Same(_hospital.Plan, Assert.IsType<PlanOutcome.Approved>(await AskAsync()).Plan.Plan);
        _hospital.Plan = _hospital.Plan with { Round = 4, BaseModel = Sha256Digest.Of("next"u8) };
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
        Assert.Equal(["planDecided", "roundOrdered", "roundOrdered"], _hospital.Actions);
        Assert.Equal("standing approval of the policy", _hospital.Entries[0].Facts["by"]);
    }

    [Theory]
    [InlineData("maximumRounds: 5", "maximumRounds: 4", "5 rounds; 4 are approved")]
    [InlineData("maximumStepsPerRound: 20", "maximumStepsPerRound: 19", "20 steps in a round; 19 are approved")]
    [InlineData("maximumParameters: 100000", "maximumParameters: 10", "a network of 1257 numbers; 10 are approved")]
    [InlineData("labels: [anterior, posterior]", "labels: [anterior]", "labels beyond the approved ones")]
    public async Task ApprovePlan_BeyondTheStandingApproval_WaitsAndSaysWhere(string bound, string tighter, string why)
    {
        _hospital.WritePolicy(Policy + Standing.Replace(bound, tighter, StringComparison.Ordinal));

        Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        Assert.Equal(why, _hospital.Entries[0].Facts["why"]);
    }

    [Fact]
    public async Task ApprovePlan_StandingApprovalOfAnotherPolicy_CountsNoMore()
    {
        _hospital.WritePolicy(Policy + Standing);
        await AskAsync();
        _hospital.WritePolicy(Policy);

        Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
    }

    [Fact]
    public async Task ApprovePlan_NoPolicy_IsRefused()
    {
        File.Delete(_hospital.PolicyPath);

        Assert.IsType<PlanOutcome.Refused>(await AskAsync());
    }

    [Fact]
    public async Task Obey_ApprovePlan_HoldsForTheRunsLaterRoundsAndForNoOtherTerms()
    {
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        Assert.Equal([_hospital.Plan.Run], Assert.IsType<OrderOutcome.Obeyed>(await ApproveAsync("anna", waiting.Terms)).Answered);
        _hospital.Restart();
        _hospital.Plan = _hospital.Plan with { Round = 4, BaseModel = Sha256Digest.Of("next"u8), BaseModelBytes = 1001 };
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());

        _hospital.Plan = _hospital.Plan with { Recipe = _hospital.Plan.Recipe with { StepsPerRound = 21 } };
        Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
    }

    [Fact]
    public async Task Obey_ApprovePlan_TakesTheRoleAndTwoPeopleWhereThePolicySaysSo()
    {
        _hospital.WritePolicy(Policy + "approvals: 2\n");
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        Assert.IsType<OrderOutcome.Refused>(await ApproveAsync("olga", waiting.Terms));
        Assert.IsType<OrderOutcome.Obeyed>(await ApproveAsync("anna", waiting.Terms));
        Assert.IsType<OrderOutcome.Refused>(await ApproveAsync("anna", waiting.Terms));
        Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        await ApproveAsync("ben", waiting.Terms);

        Assert.Equal("anna and ben", _hospital.Entries[^1].Facts["by"]);
        Assert.IsType<PlanOutcome.Approved>(await AskAsync());
    }

    [Fact]
    public async Task Obey_RefusePlan_IsRemembered()
    {
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        await _hospital.Gate.Desk.ObeyAsync(new DeskOrder.RefusePlan { Id = NextId(), By = "anna", At = _hospital.Time.GetUtcNow(), Terms = waiting.Terms, Reason = RefusalReason.OutsidePurpose });
        _hospital.Restart();

        Assert.Equal(RefusalReason.OutsidePurpose, Assert.IsType<PlanOutcome.Refused>(await AskAsync()).Reason);
    }

    [Fact]
    public async Task Expire_NobodyDecided_IsRefused()
    {
        await AskAsync();
        _hospital.Time.Advance(TimeSpan.FromHours(72));

        Assert.Equal([_hospital.Plan.Run], await _hospital.Gate.Desk.ExpireAsync());
        Assert.Equal(RefusalReason.Expired, Assert.IsType<PlanOutcome.Refused>(await AskAsync()).Reason);
    }

    [Fact]
    public async Task DiscardRun_WaitingPlan_NeedsNoDecisionAnyMore()
    {
        await AskAsync();
        await _hospital.Gate.DiscardRunAsync(_hospital.Plan.Run);

        Assert.Equal("planWithdrawn", _hospital.Actions[^1]);
        Assert.Empty(_hospital.Gate.Desk.WaitingRuns);
    }

    [Fact]
    public async Task Find_TermsChangedOnDisk_AreNotShownAndCanNotBeApproved()
    {
        var waiting = Assert.IsType<PlanOutcome.Waiting>(await AskAsync());
        var path = Assert.Single(Directory.GetFiles(Path.Combine(_hospital.DeskPath, "plans")));
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, HospitalOnDisk.Token)).Replace("\"stepsPerRound\":20", "\"stepsPerRound\":2", StringComparison.Ordinal), HospitalOnDisk.Token);

        Assert.Null(new PlanFiles(_hospital.DeskPath).Find(waiting.Terms));
        Assert.IsType<OrderOutcome.Refused>(await ApproveAsync("anna", waiting.Terms));
    }

    [Fact]
    public void Difference_TwoPlans_NamesWhatChangedInWords()
    {
        var other = _hospital.Plan with { Run = RunId.Parse("run-2"), TotalRounds = 9, Recipe = _hospital.Plan.Recipe with { LearningRate = 0.01 }, Round = 1 };

        Assert.Equal(
            [new PlanDifference("Size of a training step", "0.003", "0.01"), new PlanDifference("Number of rounds", "5", "9")],
            PlanDifference.Between(_hospital.Plan, other));
    }

    [Fact]
    public void Explanation_Plan_SaysWhetherTheCoordinatorSeesTheChangeByItself()
    {
        var blind = _hospital.Plan with { Blind = new BlindSpec { Sites = [.. Blind], MaximumCases = 100, GridExponent = -15 } };

        Assert.Contains(PlanExplanation.Of(_hospital.Plan), line =>
            line.StartsWith("Inspectable: the coordinator sees", StringComparison.Ordinal));
        Assert.Contains(PlanExplanation.Of(blind), line => line.Contains("at least 3 of 3 hospitals' changes", StringComparison.Ordinal));
        Assert.NotEqual(RunTerms.HashOf(_hospital.Plan), RunTerms.HashOf(blind));
        // The closing evaluation asks for nothing new.
        Assert.Equal(RunTerms.HashOf(blind), RunTerms.HashOf(blind with { Task = RoundTask.Evaluate, Round = 6 }));
    }

    [Fact]
    public void Bounds_BlindOnly_LeaveInspectableRunsToAPerson()
    {
        var policy = HospitalOnDisk.ValidPolicy + Standing.Replace("maximumRounds", "blindOnly: true, maximumRounds");
        var bounds = Assert.IsType<EgressPolicyResult.Valid>(
            EgressPolicyFile.Parse(System.Text.Encoding.UTF8.GetBytes(policy))).Policy.PlansWithin!;
        var blind = _hospital.Plan with { Blind = new BlindSpec { Sites = [.. Blind], MaximumCases = 100, GridExponent = -15 } };

        Assert.Contains("an inspectable run; only blind ones are approved", bounds.Problems(_hospital.Plan));
        Assert.Empty(bounds.Problems(blind));
    }

    [Fact]
    public void Explanation_Plan_SaysWhatHappensHere()
    {
        var text = string.Join("\n", PlanExplanation.Of(_hospital.Plan));

        Assert.Contains("outline anterior and posterior in MR images", text, StringComparison.Ordinal);
        Assert.Contains("at most 5 rounds", text, StringComparison.Ordinal);
        Assert.Contains("20 training steps", text, StringComparison.Ordinal);
        Assert.Contains("No differential privacy", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ApprovedPlan_Type_CanOnlyBeMadeByTheGate()
    {
        Assert.True(typeof(ApprovedPlan).IsSealed);
        Assert.Empty(typeof(ApprovedPlan).GetConstructors());
    }

    private Task<PlanOutcome> AskAsync() => _hospital.ApprovePlanAsync(_hospital.Plan);

    private Task<OrderOutcome> ApproveAsync(string by, Sha256Digest terms) =>
        _hospital.Gate.Desk.ObeyAsync(new DeskOrder.ApprovePlan { Id = NextId(), By = by, At = _hospital.Time.GetUtcNow(), Terms = terms });

    private string NextId() => _orders++.ToString("x32");
}

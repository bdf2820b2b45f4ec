using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;

namespace FedSeg.Egress.Tests.Review;

/// <summary>What a changed policy file comes to, where the policy in force asks for two people.</summary>
public sealed class PolicyReviewTests : IDisposable
{
    private const string Bytes = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nreview: auto-within-bounds\n";
    private const string Strict = Bytes + "maximumNorm: 0.001\npolicyChanges: twoPeople\n", Loose = Bytes + "maximumNorm: 100\npolicyChanges: twoPeople\n";

    private readonly HospitalOnDisk _hospital = new();
    private int _orders;
    private int _round = 1;

    public PolicyReviewTests()
    {
        DeskAccount Of(string name, DeskRole role, string id) => new() { Name = name, Role = role, PasswordHash = "", ProviderId = id };
        DeskAccountFile.Write(
            _hospital.DeskPath,
            Of("anna", DeskRole.PrivacyOfficer, "s-100"),
            Of("ann", DeskRole.PrivacyOfficer, "s-100"),
            Of("ben", DeskRole.PrivacyOfficer, "s-200"),
            Of("olga", DeskRole.SiteOperator, "s-300"),
            Of("oleg", DeskRole.SiteOperator, "s-400"),
            Of("otto", DeskRole.Auditor, "s-500"));
    }

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Change_NobodyAskedForTwoPeople_CountsAtOnce()
    {
        _hospital.WritePolicy(Bytes + "maximumNorm: 0.001\n");
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        _hospital.WritePolicy(Bytes + "maximumNorm: 100\n");

        Assert.IsType<EgressOutcome.Cleared>(await ClearAsync());
        Assert.DoesNotContain(_hospital.Actions, action => action.StartsWith("policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Change_TwoPeopleAsked_HoldsWhenTwoDifferentPeopleHaveAgreed()
    {
        await AdoptAsync(Strict);
        _hospital.WritePolicy(Loose);
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        await AgreeAsync("anna");
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        _hospital.Restart();
        Assert.Contains("another person", Assert.IsType<OrderOutcome.Refused>(await AgreeAsync("anna")).Why, StringComparison.Ordinal);
        Assert.Contains("another person", Assert.IsType<OrderOutcome.Refused>(await AgreeAsync("ann")).Why, StringComparison.Ordinal);
        Assert.IsType<OrderOutcome.Refused>(await AgreeAsync("otto"));
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        await AgreeAsync("ben");

        var adopted = _hospital.Entries[^1];
        Assert.Equal(("policyAdopted", "anna and ben", "provider:s-100 and provider:s-200"), (adopted.Action, adopted.Facts["by"], adopted.Facts["person"]));
        Assert.IsType<EgressOutcome.Cleared>(await ClearAsync());
    }

    [Fact]
    public async Task Change_ThatNoLongerAsksForTwo_TakesTwoItself()
    {
        await AdoptAsync(Strict);
        _hospital.WritePolicy(Bytes + "maximumNorm: 100\n");

        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        await AgreeAsync("anna");
        await AgreeAsync("ben");
        Assert.IsType<EgressOutcome.Cleared>(await ClearAsync());
        _hospital.WritePolicy(Bytes + "maximumNorm: 0.001\n");
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
    }

    [Fact]
    public async Task RaiseOfThePrivacyBudget_TwoPeopleAsked_SpendsNothingMoreUntilTwoAgreed()
    {
        string Budget(string maximum) => Loose + $"privacyBudget: {{ cohort: kidneys, maximumEpsilon: {maximum}, delta: 0.00001 }}\n";
        _hospital.Privacy = new PrivacySpent(SamplingRate: 1, NoiseMultiplier: 20, Steps: 20, Delta: 1e-5, Epsilon: 0.897);
        await AdoptAsync(Budget("0.5"));
        _hospital.WritePolicy(Budget("8"));

        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        await AgreeAsync("anna");
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        await AgreeAsync("olga");
        Assert.Equal("8", _hospital.Entries[^1].Facts["epsilonMaximum"]);
        Assert.IsType<EgressOutcome.Cleared>(await ClearAsync());
    }

    [Fact]
    public async Task Approve_TwoSiteOperators_NeedAnOfficer()
    {
        await AdoptAsync(Strict);
        _hospital.WritePolicy(Loose);
        await ClearAsync();
        await AgreeAsync("olga");

        Assert.Contains("privacy officer", Assert.IsType<OrderOutcome.Refused>(await AgreeAsync("oleg")).Why, StringComparison.Ordinal);
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
    }

    [Fact]
    public async Task Approve_FileChangedOnceMore_AgreesToNothing()
    {
        await AdoptAsync(Strict);
        _hospital.WritePolicy(Loose);
        await ClearAsync();
        var shown = _hospital.PolicyHash;
        await AgreeAsync("anna", shown);
        _hospital.WritePolicy(Loose + "maximumUpdatesPerDay: 0\n");

        Assert.IsType<OrderOutcome.Refused>(await AgreeAsync("ben", shown));
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        Assert.Equal(["policyWithdrawn", "policyRequested"], _hospital.Actions.Where(action => action.StartsWith("policy", StringComparison.Ordinal)).TakeLast(2));
    }

    [Fact]
    public async Task Refuse_OnePersonsWord_KeepsThePolicyAndIsNotAskedAgain()
    {
        await AdoptAsync(Strict);
        _hospital.WritePolicy(Loose);
        await ClearAsync();
        await ObeyAsync(new DeskOrder.RefusePolicy { Id = NextId(), By = "olga", At = _hospital.Time.GetUtcNow(), Policy = _hospital.PolicyHash });
        await ClearAsync();

        Assert.Single(_hospital.Actions, action => action == "policyRequested");
        Assert.IsType<OrderOutcome.Refused>(await AgreeAsync("anna"));
    }

    [Fact]
    public async Task Expire_NobodyAgreedInTime_KeepsThePolicy()
    {
        await AdoptAsync(Strict + "reviewHours: 5\n");
        _hospital.WritePolicy(Loose);
        await _hospital.Gate.Desk.ExpireAsync();
        _hospital.Time.Advance(TimeSpan.FromHours(5));
        await _hospital.Gate.Desk.ExpireAsync();

        Assert.Equal(["policyAdopted", "policyRequested", "policyRefused"], _hospital.Actions);
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
    }

    [Fact]
    public async Task Clear_FileGoneOrWrong_IsClosedAtOnceWhateverWasAgreed()
    {
        await AdoptAsync(Loose);
        Assert.IsType<EgressOutcome.Cleared>(await ClearAsync());
        _hospital.WritePolicy("maximumNorm: much\n");
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        File.Delete(_hospital.PolicyPath);
        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
    }

    [Fact]
    public async Task Clear_CopyOfTheAgreedPolicyTamperedWith_IsClosed()
    {
        await AdoptAsync(Strict);
        var copy = Assert.Single(Directory.GetFiles(Path.Combine(_hospital.DeskPath, "policies")));
        await File.WriteAllTextAsync(copy, Loose, HospitalOnDisk.Token);
        _hospital.WritePolicy(Loose);

        Assert.IsType<EgressOutcome.Refused>(await ClearAsync());
        Assert.Null(_hospital.Gate.Desk.Policy);
    }

    private async Task AdoptAsync(string policy)
    {
        _hospital.WritePolicy(policy);
        await _hospital.Gate.Desk.ExpireAsync();
        Assert.Equal("policyAdopted", _hospital.Actions[^1]);
    }

    private Task<EgressOutcome> ClearAsync()
    {
        _hospital.Plan = _hospital.Plan with { Round = _round++, TotalRounds = 100 };
        _hospital.AnswerPlan();
        return _hospital.ClearAsync();
    }

    private Task<OrderOutcome> AgreeAsync(string by, Sha256Digest? policy = null) =>
        ObeyAsync(new DeskOrder.ApprovePolicy { Id = NextId(), By = by, At = _hospital.Time.GetUtcNow(), Policy = policy ?? _hospital.PolicyHash });

    private Task<OrderOutcome> ObeyAsync(DeskOrder order) => _hospital.Gate.Desk.ObeyAsync(order);

    private string NextId() => _orders++.ToString("x32");
}

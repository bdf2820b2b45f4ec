using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Privacy.Accounting;

namespace FedSeg.Egress.Tests.Budget;

/// <summary>Invariant I3 at the gate: nothing leaves uncharged, and all runs on the same patients share one budget.</summary>
public sealed class CohortBudgetTests : IDisposable
{
    private const string Bounds = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n";
    private const string Automatic = Bounds + "review: auto-within-bounds\n";
    // A round of this costs ε 0.820 alone, two 1.199, three 1.5004 (everybody in every step: exact): two fit, a third does not.
    private const string Budget = "privacyBudget: { cohort: hippocampus, maximumEpsilon: 1.5, delta: 0.00001 }\n";
    private static readonly PrivacySpent Round = new(SamplingRate: 1, NoiseMultiplier: 20, Steps: 20, Delta: 1e-5, Epsilon: 0.897);

    private readonly HospitalOnDisk _hospital = new() { Privacy = Round };
    private int _orders;

    public CohortBudgetTests() => DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer));

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Clear_WithinTheBudget_IsChargedAndTheLedgerSaysBeforeAndAfter()
    {
        _hospital.WritePolicy(Automatic + Budget);
        await _hospital.ClearedAsync();

        var facts = _hospital.Entries[^1].Facts;
        var expected = GaussianAccountant.Epsilon(new SampledGaussian(1, 20, 20), 1e-5);
        Assert.Equal(("hippocampus", "0"), (facts["cohort"], facts["epsilonBefore"]));
        Assert.Equal(expected, double.Parse(facts["epsilonAfter"], System.Globalization.CultureInfo.InvariantCulture), 1e-12);
        Assert.Contains(facts["update"], await File.ReadAllTextAsync(BudgetPath, HospitalOnDisk.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_BeyondTheBudget_IsRefusedAlsoAfterARestartAndForAnotherRun()
    {
        _hospital.WritePolicy(Automatic + Budget);
        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(1));
        _hospital.Restart();
        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(2));
        _hospital.Restart();
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse("run-other") };

        var refused = Assert.IsType<EgressOutcome.Refused>(await ClearRoundAsync(1));
        Assert.StartsWith("PrivacyWithinBudget: ε 1.", refused.Report.Summary, StringComparison.Ordinal);
        Assert.Equal(1, refused.Report.Rules.Count(rule => !rule.Passed));
    }

    [Fact]
    public async Task Clear_BudgetAndNoPrivacy_DoesNotLeave()
    {
        _hospital.WritePolicy(Automatic + Budget);
        _hospital.Privacy = null;

        Assert.Equal(
            "PrivacyWithinBudget: trained without differential privacy (allowed: ε at most 1.5 over all runs, at δ 1E-05)",
            Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report.Summary);
        Assert.False(File.Exists(BudgetPath));
    }

    [Fact]
    public async Task Clear_DamagedRecord_DoesNotLeave()
    {
        _hospital.WritePolicy(Automatic + Budget);
        await ClearRoundAsync(1);
        await File.WriteAllTextAsync(BudgetPath, "{", HospitalOnDisk.Token);

        Assert.Contains("can't be read", Assert.IsType<EgressOutcome.Refused>(await ClearRoundAsync(2)).Report.Summary, StringComparison.Ordinal);
    }

    /// <summary>The ledger knows what was charged, and is cosigned: deleting a file gives nothing back.</summary>
    [Fact]
    public async Task Clear_RecordDeletedOrCutShort_DoesNotGrantTheBudgetAnew()
    {
        _hospital.WritePolicy(Automatic + Budget);
        await ClearRoundAsync(1);
        var shorter = await File.ReadAllBytesAsync(BudgetPath, HospitalOnDisk.Token);
        await ClearRoundAsync(2);
        var whole = await File.ReadAllBytesAsync(BudgetPath, HospitalOnDisk.Token);

        foreach (var restored in new[] { shorter, null })
        {
            if (restored is null) File.Delete(BudgetPath);
            else await File.WriteAllBytesAsync(BudgetPath, restored, HospitalOnDisk.Token);
            _hospital.Restart();
            Assert.Contains("lacks releases that the ledger has", Assert.IsType<EgressOutcome.Refused>(await ClearRoundAsync(3)).Report.Summary, StringComparison.Ordinal);
            Assert.Equal(restored is not null, File.Exists(BudgetPath));
        }

        _hospital.WritePolicy(Automatic + Budget.Replace("1.5", "3", StringComparison.Ordinal));
        await File.WriteAllBytesAsync(BudgetPath, whole, HospitalOnDisk.Token);
        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(3));
    }

    [Fact]
    public async Task Obey_ApproveAfterTheRecordWasDeleted_IsRefused()
    {
        _hospital.WritePolicy(Bounds + Budget);
        var first = Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(1));
        var second = Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(2));
        Assert.IsType<OrderOutcome.Obeyed>(await ApproveAsync(first.Update));
        File.Delete(BudgetPath);

        Assert.Contains("lacks releases", Assert.IsType<OrderOutcome.Refused>(await ApproveAsync(second.Update)).Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_NoBudget_TellsWhatTheRoundCost()
    {
        _hospital.WritePolicy(Automatic);
        await _hospital.ClearedAsync();

        Assert.Equal("passed: \u03b5 0.897 for this round alone (allowed: no budget is set)", _hospital.Entries[0].Facts["rule.privacyWithinBudget"]);
    }

    [Fact]
    public async Task Obey_Approve_ChargesBeforeTheDecisionAndRefuseCostsNothing()
    {
        _hospital.WritePolicy(Bounds + Budget);
        var first = Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(1));
        Assert.False(File.Exists(BudgetPath));
        await _hospital.Gate.Desk.ObeyAsync(new DeskOrder.Refuse { Id = NextId(), By = "anna", At = default, Update = first.Update, Reason = RefusalReason.Other });
        Assert.False(File.Exists(BudgetPath));

        var second = Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(2));
        _hospital.Restart();
        Assert.IsType<OrderOutcome.Obeyed>(await ApproveAsync(second.Update));
        Assert.Equal("0", _hospital.Entries[^1].Facts["epsilonBefore"]);
        Assert.True(File.Exists(BudgetPath));
    }

    [Fact]
    public async Task Obey_ApproveWhatNoLongerFits_IsRefused()
    {
        _hospital.WritePolicy(Bounds + Budget);
        // All three fit when they are sealed, for none is charged yet.
        var waiting = new List<Sha256Digest>();
        for (var round = 1; round <= 3; round++) waiting.Add(Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(round)).Update);
        Assert.IsType<OrderOutcome.Obeyed>(await ApproveAsync(waiting[0]));
        Assert.IsType<OrderOutcome.Obeyed>(await ApproveAsync(waiting[1]));

        Assert.Equal("the privacy budget of hippocampus does not allow it", Assert.IsType<OrderOutcome.Refused>(await ApproveAsync(waiting[2])).Why);
        Assert.IsType<EgressOutcome.Waiting>(await _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token));
    }

    private string BudgetPath => Path.Combine(_hospital.DeskPath, "budgets", "hippocampus.json");

    private Task<OrderOutcome> ApproveAsync(Sha256Digest update) =>
        _hospital.Gate.Desk.ObeyAsync(new DeskOrder.Approve { Id = NextId(), By = "anna", At = _hospital.Time.GetUtcNow(), Update = update });

    private string NextId() => _orders++.ToString("x32");

    private Task<EgressOutcome> ClearRoundAsync(int round)
    {
        _hospital.Plan = _hospital.Plan with { Round = round };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        return _hospital.ClearAsync();
    }
}

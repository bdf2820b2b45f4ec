using FedSeg.Egress.Outbox;
using FedSeg.Egress.Patients;
using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests.Charters;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Training;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Tests.Patients;

public sealed class WithdrawalTests : IDisposable
{
    private const string Bounds = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n", Automatic = Bounds + "review: auto-within-bounds\n";
    private static readonly string Ada = new('a', 64), Bob = new('b', 64), Cleo = new('c', 64);

    private readonly HospitalOnDisk _hospital = new();
    private readonly PatientRecords _records;

    public WithdrawalTests()
    {
        _hospital.WritePolicy(Automatic);
        _records = new PatientRecords(_hospital.DeskPath);
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer), ("olga", DeskRole.SiteOperator), ("otto", DeskRole.Auditor));
    }

    private PatientRules Rules => _records.Rules(new DeskClient(_hospital.Root, _hospital.Time).Ask(book => book.Withdrawn.ToList()));

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Withdraw_APatient_IsNotedWithoutTheirKeyAndHoldsAfterARestart()
    {
        var pseudonym = Rules.PseudonymOf(Ada);
        Assert.IsType<OrderOutcome.Obeyed>(await WithdrawAsync("olga", pseudonym));
        _hospital.Restart();

        Assert.True(Rules.IsWithdrawn(Ada));
        Assert.False(Rules.IsWithdrawn(Bob));
        var entry = Assert.Single(_hospital.Entries);
        Assert.Equal(("patientWithdrawn", pseudonym.ToString(), "olga"), (entry.Action, entry.Facts["patient"], entry.Facts["by"]));
        Assert.DoesNotContain(Ada, string.Join(' ', entry.Facts.Values), StringComparison.Ordinal);
        // Another hospital's pseudonym of the same patient is another one.
        using var other = new HospitalOnDisk();
        Assert.NotEqual(pseudonym, new PatientRecords(other.DeskPath).Rules([]).PseudonymOf(Ada));
        Assert.Equal("this patient has withdrawn before", Assert.IsType<OrderOutcome.Refused>(await WithdrawAsync("olga", pseudonym)).Why);
        Assert.IsType<OrderOutcome.Refused>(await WithdrawAsync("otto", Rules.PseudonymOf(Bob)));
    }

    [Fact]
    public async Task Withdraw_DropsWhatUsedThePatientAndIsStillHere_AndNothingElse()
    {
        await ClearAsync(1, trained: [Ada, Bob]);
        await ClearAsync(2, trained: [Bob]);
        _hospital.WritePolicy(Bounds);
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await ClearAsync(3, trained: [Bob], scored: [Ada]));
        var outcome = Assert.IsType<OrderOutcome.Obeyed>(await WithdrawAsync("anna", Rules.PseudonymOf(Ada)));

        Assert.Equal([_hospital.Plan.Run], outcome.Answered);
        Assert.Equal(["patientWithdrawn", "egressDiscarded", "egressDiscarded"], _hospital.Actions.TakeLast(3));
        Assert.Equal(2, Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token)).Round);
        Assert.False(Directory.Exists(Path.Combine(_hospital.OutboxPath, waiting.Update.ToString())));
        // The round may be done again.
        Assert.Null(await _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token));
    }

    /// <summary>The agent died between the entry and what it asks for: the order is still in its box and is given again.</summary>
    [Fact]
    public async Task Withdraw_GivenAgainAfterACrash_DropsWhatIsStillHere()
    {
        await ClearAsync(1, trained: [Bob]);
        var order = new DeskOrder.WithdrawPatient { Id = "w", By = "anna", At = _hospital.Time.GetUtcNow(), Patient = Rules.PseudonymOf(Ada) };
        Assert.Empty(Assert.IsType<OrderOutcome.Obeyed>(await _hospital.Gate.Desk.ObeyAsync(order)).Answered);
        // As if it had used her and were not dropped yet.
        File.WriteAllBytes(_records.PathOf(_hospital.Plan.Run, 1), PatientUse.Of(Rules, [Ada, Bob], []).ToBytes());
        _hospital.Restart();

        Assert.Equal([_hospital.Plan.Run], Assert.IsType<OrderOutcome.Obeyed>(await _hospital.Gate.Desk.ObeyAsync(order)).Answered);
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Equal(["patientWithdrawn", "egressDiscarded"], _hospital.Actions.TakeLast(2));
    }

    [Fact]
    public async Task Clear_UpdateThatUsedAPatientWhoWithdrew_FailsThatRuleAlone()
    {
        await WithdrawAsync("anna", Rules.PseudonymOf(Ada));
        var refused = Assert.IsType<EgressOutcome.Refused>(await ClearAsync(1, trained: [Ada, Bob])).Report;
        Assert.Equal(new RuleResult(EgressRule.WithoutWithdrawn, false, "1", "no patient who withdrew"), Assert.Single(refused.Rules, rule => !rule.Passed));
        Assert.IsType<EgressOutcome.Cleared>(await ClearAsync(2, trained: [Bob]));
        // Nobody noted whom it used: what can't be known does not pass.
        _hospital.Plan = _hospital.Plan with { Round = 4 };
        _hospital.AnswerPlan();
        Assert.Equal("not known whom it used", Assert.Single(Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report.Rules, rule => !rule.Passed).Measured);
    }

    [Fact]
    public async Task Rules_KeyGoneAfterAWithdrawal_LetNothingBeTrained()
    {
        await WithdrawAsync("anna", Rules.PseudonymOf(Ada));
        File.Delete(Path.Combine(_hospital.DeskPath, "patients", "key"));

        Assert.Contains("nothing is trained here", Assert.Throws<InvalidDataException>(() => Rules).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_NamesRoundsWhatLeftAndFromWhereToBeginAgain()
    {
        for (var round = 1; round <= 4; round++)
        {
            var trained = round is 2 or 3 ? new[] { Ada, Bob } : [Bob];
            var cleared = Assert.IsType<EgressOutcome.Cleared>(await ClearAsync(round, trained, scored: round == 1 ? [Ada] : [], baseModel: $"model {round}"));
            await _hospital.Gate.RecordSentAsync(cleared.Update, SendReceipt.Accepted);
        }

        var run = Assert.Single(Trace(Ada));
        Assert.Equal([2, 3], run.Trained);
        Assert.Equal([1], run.Scored);
        Assert.Equal([2, 3], run.Left);
        Assert.Equal([2, 3, 4], run.Redo);
        Assert.Equal(Sha256Digest.Of("model 2"u8), run.From);
        Assert.Contains($"rounds 2 to 4, and any later ones, have to be done again by all hospitals of the run, beginning from model {run.From}", run.Explanation, StringComparison.Ordinal);
        Assert.Empty(Trace(Cleo));
    }

    [Fact]
    public async Task Trace_NothingLeft_SaysThatNothingHasToBeDoneAgain()
    {
        await ClearAsync(1, trained: [Ada]);
        var run = Assert.Single(Trace(Ada));

        Assert.Empty(run.Redo);
        Assert.StartsWith("Nothing that was trained on this patient left", run.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_DamagedRecord_CountsAsOneThatUsedThem()
    {
        await ClearAsync(1, trained: [Bob]);
        File.WriteAllText(_records.PathOf(_hospital.Plan.Run, 1), "{}");

        Assert.Equal([1], Assert.Single(Trace(Ada)).Trained);
    }

    [Fact]
    public async Task Leave_AStudy_DropsEverythingOfItsRunsAndLetsNoneInUntilACharterIsAcceptedAgain()
    {
        _hospital.WritePolicy(Automatic + "plansWithin: { maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000 }\n");
        _hospital.Plan = _hospital.Plan with { Study = StudyCharters.Study };
        _hospital.AnswerPlan();
        var charter = await _hospital.HoldAsync(StudyCharters.New());
        await _hospital.ApprovePlanAsync(_hospital.Plan);
        await _hospital.ClearedAsync();
        Assert.IsType<OrderOutcome.Refused>(await LeaveAsync("olga"));
        var outcome = Assert.IsType<OrderOutcome.Obeyed>(await LeaveAsync("anna"));

        Assert.Equal([_hospital.Plan.Run], outcome.Left);
        Assert.Equal(["studyLeft", "egressDiscarded"], _hospital.Actions.Where(action => action != "orderRefused").TakeLast(2));
        _hospital.Restart();
        Assert.Equal([_hospital.Plan.Run], _hospital.Gate.Desk.LeftRuns);
        Assert.Equal("this hospital has left study kidneys-2026", Assert.IsType<PlanOutcome.OutsideCharter>(await _hospital.ApprovePlanAsync(_hospital.Plan)).Problem);
        Assert.IsType<OrderOutcome.Refused>(await _hospital.AcceptAsync("anna", charter));
        await _hospital.HoldAsync(StudyCharters.New());
        Assert.IsType<PlanOutcome.Approved>(await _hospital.ApprovePlanAsync(_hospital.Plan));
        Assert.Empty(_hospital.Gate.Desk.LeftRuns);
    }

    private Task<EgressOutcome> ClearAsync(int round, string[] trained, string[]? scored = null, string baseModel = "base")
    {
        _hospital.Plan = _hospital.Plan with { Round = round, BaseModel = Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(baseModel)) };
        _hospital.AnswerPlan();
        _hospital.WriteDelta(0.5f + round / 100f);
        File.WriteAllBytes(_records.PathOf(_hospital.Plan.Run, round), PatientUse.Of(Rules, trained, scored ?? []).ToBytes());
        return _hospital.ClearAsync();
    }

    private IReadOnlyList<PatientRun> Trace(string patient) =>
        PatientTrace.Of(Rules.PseudonymOf(patient), _records, LedgerReader.Open(Path.Combine(_hospital.Root, "ledger")));

    private Task<OrderOutcome> WithdrawAsync(string by, Sha256Digest patient) => _hospital.Gate.Desk.ObeyAsync(
        new DeskOrder.WithdrawPatient { Id = Guid.NewGuid().ToString("N"), By = by, At = _hospital.Time.GetUtcNow(), Patient = patient });

    private Task<OrderOutcome> LeaveAsync(string by) => _hospital.Gate.Desk.ObeyAsync(
        new DeskOrder.LeaveStudy { Id = Guid.NewGuid().ToString("N"), By = by, At = _hospital.Time.GetUtcNow(), Study = StudyCharters.Study });
}

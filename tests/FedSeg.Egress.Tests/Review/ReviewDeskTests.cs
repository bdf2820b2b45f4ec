using FedSeg.Egress.Outbox;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Verifier;

namespace FedSeg.Egress.Tests.Review;

public sealed class ReviewDeskTests : IDisposable
{
    private const string EveryRound = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n";

    private readonly HospitalOnDisk _hospital = new();
    private int _orders;

    public ReviewDeskTests()
    {
        _hospital.WritePolicy(EveryRound);
        // What the desk asks of an account is its role; passwords are another test's matter.
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer), ("ben", DeskRole.PrivacyOfficer), ("olga", DeskRole.SiteOperator), ("otto", DeskRole.Auditor));
    }

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Clear_EveryRound_WaitsAndGivesNothingOut()
    {
        var waiting = await WaitAsync();

        Assert.Equal(["egressRequested", "reviewRequested"], _hospital.Actions);
        Assert.Equal(_hospital.Time.GetUtcNow().AddHours(72), waiting.Until);
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.IsType<EgressOutcome.Waiting>(await RecallAsync());
    }

    [Fact]
    public async Task Obey_Approve_IsInTheLedgerAndClearsExactlyTheSealedBytes()
    {
        var waiting = await WaitAsync();
        var outcome = Assert.IsType<OrderOutcome.Obeyed>(await ObeyAsync(Approve("anna", waiting.Update)));

        Assert.Equal([_hospital.Plan.Run], outcome.Answered);
        Assert.Equal(("approved", "anna"), (_hospital.Entries[^1].Facts["decision"], _hospital.Entries[^1].Facts["by"]));
        var cleared = Assert.IsType<EgressOutcome.Cleared>(await RecallAsync()).Update;
        Assert.Equal(waiting.Update, cleared.Digest);
        await using var payload = cleared.OpenPayload();
        Assert.Equal(cleared.PayloadSha256, await Sha256Digest.OfAsync(payload, HospitalOnDisk.Token));
    }

    [Fact]
    public async Task Clear_WaitingAndCrashed_StillWaitsAfterARestartAndMayBeApprovedThen()
    {
        var waiting = await WaitAsync();
        _hospital.Restart();
        Assert.Equal(waiting.Update, Assert.IsType<EgressOutcome.Waiting>(await RecallAsync()).Update);
        await _hospital.Gate.PendingAsync(HospitalOnDisk.Token);
        await ObeyAsync(Approve("anna", waiting.Update));
        _hospital.Restart();

        Assert.Equal(waiting.Update, Assert.IsType<EgressOutcome.Cleared>(await RecallAsync()).Update.Digest);
    }

    [Fact]
    public async Task Obey_Refuse_RemovesTheBytesAndIsRememberedAfterARestart()
    {
        var waiting = await WaitAsync();
        await ObeyAsync(Stamped(new DeskOrder.Refuse { Id = NextId(), By = "anna", At = default, Update = waiting.Update, Reason = RefusalReason.SuspiciousValues }));
        _hospital.Restart();

        Assert.Equal(RefusalReason.SuspiciousValues, Assert.IsType<EgressOutcome.RefusedInReview>(await RecallAsync()).Reason);
        Assert.Empty(Directory.GetDirectories(_hospital.OutboxPath));
        Assert.Equal("suspiciousValues", _hospital.Entries[^1].Facts["reason"]);
    }

    [Fact]
    public async Task Expire_NobodyDecidedInTime_IsRefused()
    {
        await WaitAsync();
        _hospital.Time.Advance(TimeSpan.FromHours(72) - TimeSpan.FromSeconds(1));
        Assert.Empty(await _hospital.Gate.Desk.ExpireAsync());
        _hospital.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal([_hospital.Plan.Run], await _hospital.Gate.Desk.ExpireAsync());
        Assert.Equal(RefusalReason.Expired, Assert.IsType<EgressOutcome.RefusedInReview>(await RecallAsync()).Reason);
    }

    [Theory]
    [InlineData("otto")]
    [InlineData("olga")]
    [InlineData("mallory")]
    public async Task Obey_ApproveWithoutTheRole_IsRefusedAndNoted(string by)
    {
        var waiting = await WaitAsync();

        Assert.IsType<OrderOutcome.Refused>(await ObeyAsync(Approve(by, waiting.Update)));
        Assert.Equal("orderRefused", _hospital.Actions[^1]);
        Assert.IsType<EgressOutcome.Waiting>(await RecallAsync());
    }

    [Fact]
    public async Task Obey_FourEyes_TakesTwoDifferentPeople()
    {
        _hospital.WritePolicy(EveryRound + "approvals: 2\n");
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update));
        Assert.IsType<EgressOutcome.Waiting>(await RecallAsync());
        _hospital.Restart();
        Assert.IsType<OrderOutcome.Refused>(await ObeyAsync(Approve("anna", waiting.Update)));
        Assert.IsType<EgressOutcome.Waiting>(await RecallAsync());
        await ObeyAsync(Approve("ben", waiting.Update));

        Assert.IsType<EgressOutcome.Cleared>(await RecallAsync());
        Assert.Equal("anna and ben", _hospital.Entries[^1].Facts["by"]);
    }

    [Theory]
    [InlineData("oidc:anna", "ann", "another person")]
    [InlineData("ann", "oidc:anna", "another person")]
    [InlineData("oidc:anna", "ben", "review account set --person")]
    [InlineData("ben", "oidc:anna", "review account set --person")]
    public async Task Obey_FourEyesByAccountsThatMayBeOneHumans_IsRefused(string first, string second, string why)
    {
        WritePeople();
        _hospital.WritePolicy(EveryRound + "approvals: 2\n");
        var waiting = await WaitAsync();
        await ObeyAsync(Approve(first, waiting.Update));
        _hospital.Restart();

        Assert.Contains(why, Assert.IsType<OrderOutcome.Refused>(await ObeyAsync(Approve(second, waiting.Update))).Why, StringComparison.Ordinal);
        Assert.IsType<EgressOutcome.Waiting>(await RecallAsync());
        await ObeyAsync(Approve(first == "ben" ? "eva" : "bea", waiting.Update));
        Assert.IsType<EgressOutcome.Cleared>(await RecallAsync());
    }

    [Fact]
    public async Task Obey_LiftByAnotherAccountOfTheSameHuman_IsRefused()
    {
        WritePeople();
        await ObeyAsync(new DeskOrder.Halt { Id = NextId(), By = "ann", At = default });
        await ObeyAsync(new DeskOrder.Lift { Id = NextId(), By = "ann", At = default });

        Assert.IsType<OrderOutcome.Refused>(await ObeyAsync(new DeskOrder.Lift { Id = NextId(), By = "oidc:anna", At = default }));
        Assert.True(_hospital.Gate.Desk.Switch.IsThrown);
    }

    [Fact]
    public async Task Obey_ProvidersWordHasRunOut_IsRefused()
    {
        WritePeople();
        var waiting = await WaitAsync();
        var late = Approve("oidc:anna", waiting.Update) with { At = _hospital.Time.GetUtcNow().AddHours(2) };

        Assert.IsType<OrderOutcome.Refused>(await ObeyAsync(late));
        Assert.IsType<EgressOutcome.Waiting>(await RecallAsync());
    }

    [Fact]
    public async Task Obey_ApproveNextRounds_StandsForExactlyThose()
    {
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update, next: 2));

        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(4));
        _hospital.Restart();
        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(5));
        Assert.Equal("standing approval of anna", _hospital.Entries[^1].Facts["by"]);
        Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(6));
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(31, false)]
    public async Task Obey_ApproveNextRounds_EndsAfterThePolicysDays(int days, bool stands)
    {
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update, next: 9));
        _hospital.Time.Advance(TimeSpan.FromDays(days) - TimeSpan.FromSeconds(1));
        _hospital.Restart();

        Assert.Equal(stands, await ClearRoundAsync(4) is EgressOutcome.Cleared);
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(7, false)]
    public async Task Clear_FirstRoundApprovedLongAgo_AsksAgain(int days, bool stands)
    {
        _hospital.WritePolicy(EveryRound + "review: first-round\napprovalDays: 7\n");
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update));
        _hospital.Time.Advance(TimeSpan.FromDays(days));

        Assert.Equal(stands, await ClearRoundAsync(4) is EgressOutcome.Cleared);
    }

    [Fact]
    public async Task Obey_ApproveNextRoundsThenAnotherPolicy_AsksAgain()
    {
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update, next: 2));
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\n");

        Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(4));
    }

    [Fact]
    public async Task Clear_FirstRound_WaitsOnceARun()
    {
        _hospital.WritePolicy(EveryRound + "review: first-round\n");
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update));

        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(4));
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse("run-2") };
        Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(1));
    }

    [Fact]
    public async Task Obey_Pause_HoldsWhatWouldLeaveByItself()
    {
        _hospital.WritePolicy(EveryRound + "review: auto-within-bounds\n");
        await ObeyAsync(Stamped(new DeskOrder.Pause { Id = NextId(), By = "olga", At = default }));
        _hospital.Restart();
        Assert.True(_hospital.Gate.Desk.IsPaused);
        await WaitAsync();
        await ObeyAsync(Stamped(new DeskOrder.Resume { Id = NextId(), By = "olga", At = default }));

        Assert.IsType<EgressOutcome.Cleared>(await ClearRoundAsync(4));
    }

    [Fact]
    public async Task Obey_Halt_DropsEverythingAndHoldsAfterARestart()
    {
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update));
        await ClearRoundAsync(4);
        await ObeyAsync(Stamped(new DeskOrder.Halt { Id = NextId(), By = "olga", At = default }));
        _hospital.Restart();

        Assert.True(_hospital.Gate.Desk.Switch.IsThrown);
        Assert.Empty(Directory.GetDirectories(_hospital.OutboxPath));
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.IsType<EgressOutcome.Refused>(await ClearRoundAsync(5));
        Assert.IsType<NoticeOutcome.Refused>(await _hospital.Gate.ClearNoticeAsync(new(_hospital.Plan.Run, 5, DropReason.OutOfMemory), HospitalOnDisk.Token));
    }

    [Fact]
    public async Task Obey_HaltWhileTheLedgerCanNotBeWritten_IsInForceAllTheSame()
    {
        _hospital.Ledger.Dispose();

        await Assert.ThrowsAnyAsync<Exception>(() => ObeyAsync(Stamped(new DeskOrder.Halt { Id = NextId(), By = "olga", At = default })));
        Assert.True(_hospital.Gate.Desk.Switch.IsThrown);
    }

    [Fact]
    public async Task Obey_HaltByAnAuditor_IsNotInForce()
    {
        await ObeyAsync(Stamped(new DeskOrder.Halt { Id = NextId(), By = "otto", At = default }));

        Assert.False(_hospital.Gate.Desk.Switch.IsThrown);
    }

    [Fact]
    public async Task Obey_Lift_TakesTwoDifferentPeople()
    {
        await ObeyAsync(Stamped(new DeskOrder.Halt { Id = NextId(), By = "olga", At = default }));
        await LiftAsync("anna");
        Assert.IsType<OrderOutcome.Refused>(await LiftAsync("anna"));
        Assert.True(_hospital.Gate.Desk.Switch.IsThrown);
        _hospital.Restart();
        Assert.True(_hospital.Gate.Desk.Switch.IsThrown);
        await LiftAsync("olga");

        Assert.False(_hospital.Gate.Desk.Switch.IsThrown);
        Assert.Equal(["siteHalted", "haltLiftAsked", "orderRefused", "haltLifted"], _hospital.Actions);
    }

    [Fact]
    public async Task Obey_HaltAfterAskingToLift_NeedsTwoPeopleAnew()
    {
        await ObeyAsync(Stamped(new DeskOrder.Halt { Id = NextId(), By = "olga", At = default }));
        await LiftAsync("anna");
        await ObeyAsync(Stamped(new DeskOrder.Halt { Id = NextId(), By = "olga", At = default }));
        await LiftAsync("olga");

        Assert.True(_hospital.Gate.Desk.Switch.IsThrown);
    }

    [Fact]
    public async Task Obey_SameOrderTwice_CountsOnce()
    {
        var waiting = await WaitAsync();
        var order = Approve("anna", waiting.Update, next: 1);
        await ObeyAsync(order);
        var entries = _hospital.Actions.Length;
        _hospital.Restart();
        await ObeyAsync(order);

        Assert.Equal(entries, _hospital.Actions.Length);
    }

    [Fact]
    public async Task Obey_ApproveTamperedBytes_IsRefusedAndDiscarded()
    {
        var waiting = await WaitAsync();
        var path = Path.Combine(_hospital.OutboxPath, waiting.Update.ToString(), "payload.safetensors");
        var bytes = await File.ReadAllBytesAsync(path, HospitalOnDisk.Token);
        bytes[^3] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, HospitalOnDisk.Token);

        Assert.IsType<OrderOutcome.Refused>(await ObeyAsync(Approve("anna", waiting.Update)));
        Assert.Equal(["egressDiscarded", "orderRefused"], _hospital.Actions[^2..]);
        Assert.Null(await RecallAsync());
    }

    [Fact]
    public async Task Recall_NextRoundHasBegun_DiscardsWhatWaited()
    {
        await WaitAsync();
        _hospital.Plan = _hospital.Plan with { Round = 4 };

        Assert.Null(await RecallAsync());
        Assert.Equal(("egressDiscarded", "the round has closed without it"), (_hospital.Actions[^1], _hospital.Entries[^1].Facts["why"]));
        Assert.Empty(Directory.GetDirectories(_hospital.OutboxPath));
    }

    [Fact]
    public async Task Clear_Waiting_LeavesASummaryOfEveryTensor()
    {
        var waiting = await WaitAsync();
        var summary = await SummaryAsync(waiting);

        Assert.Equal(_hospital.Plan.Manifest().Tensors.Select(tensor => tensor.Name), summary.Tensors.Select(tensor => tensor.Name));
        // Every change is 0.5, so a tensor's norm is half the root of its size.
        Assert.All(summary.Tensors, tensor => Assert.Equal(0.5 * Math.Sqrt(tensor.Shape.Aggregate(1.0, (product, extent) => product * extent)), tensor.Norm, 1e-6));
        Assert.Equal(Math.Sqrt(summary.Tensors.Sum(tensor => tensor.Norm * tensor.Norm)), summary.Norm, 1e-6);
        Assert.All(summary.Tensors, tensor => Assert.Equal((0.5, 0.0), (tensor.Largest, tensor.ZeroShare)));
    }

    [Fact]
    public async Task Clear_WaitingAfterApprovedRounds_ComparesEveryTensorWithThemAlsoAfterARestart()
    {
        _hospital.WritePolicy(EveryRound + "review: auto-within-bounds\n");
        _hospital.WriteDelta(0.25f);
        await ClearRoundAsync(1);
        _hospital.Restart();
        _hospital.WriteDelta(0.5f);
        await ClearRoundAsync(2);
        _hospital.WritePolicy(EveryRound);
        _hospital.NotePatients(round: 3, count: 7);
        var summary = await SummaryAsync(Assert.IsType<EgressOutcome.Waiting>(await ClearRoundAsync(3)));

        // Norms are kept to three digits.
        Assert.All(summary.Tensors, tensor => Assert.Equal([0.5, 1], tensor.Earlier.Select(norm => Math.Round(norm / tensor.Norm, 2))));
        Assert.Equal((7, 0.123456, 0.876543), (summary.Patients, summary.Measured.MeanLoss, summary.Measured.Scores[0].MeanDice));
    }

    [Fact]
    public async Task Ledger_AfterAReview_Verifies()
    {
        var waiting = await WaitAsync();
        await ObeyAsync(Approve("anna", waiting.Update));
        await _hospital.Gate.RecordSentAsync(Assert.IsType<EgressOutcome.Cleared>(await RecallAsync()).Update, SendReceipt.Accepted);

        Assert.True(LedgerVerifier.VerifyFolder(Path.Combine(_hospital.Root, "ledger")).Verified);
    }

    private async Task<EgressOutcome.Waiting> WaitAsync() => Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());

    private async Task<ReviewSummary> SummaryAsync(EgressOutcome.Waiting waiting) => ReviewSummary.FromBytes(
        await File.ReadAllBytesAsync(Path.Combine(_hospital.OutboxPath, waiting.Update.ToString(), "summary.json"), HospitalOnDisk.Token));

    private Task<EgressOutcome?> RecallAsync() => _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token);

    private Task<OrderOutcome> ObeyAsync(DeskOrder order) => _hospital.Gate.Desk.ObeyAsync(order);

    private Task<OrderOutcome> LiftAsync(string by) => ObeyAsync(Stamped(new DeskOrder.Lift { Id = NextId(), By = by, At = default }));

    private DeskOrder.Approve Approve(string by, Sha256Digest update, int next = 0) =>
        new() { Id = NextId(), By = by, At = _hospital.Time.GetUtcNow(), Update = update, NextRounds = next };

    private DeskOrder Stamped(DeskOrder order) => order with { At = _hospital.Time.GetUtcNow() };

    /// <summary>Anna by the provider and by a local account, Bea by a local account that says who she is, Ben and Eva of whom nobody said.</summary>
    private void WritePeople()
    {
        DeskAccount Of(string name, string? id = null, DateTimeOffset? until = null) =>
            new() { Name = name, Role = DeskRole.PrivacyOfficer, PasswordHash = until is null ? "" : null, ProviderId = id, VouchedUntil = until };
        DeskAccountFile.Write(
            _hospital.DeskPath, Of("oidc:anna", "s-100", _hospital.Time.GetUtcNow().AddHours(1)), Of("ann", "s-100"), Of("bea", "s-200"), Of("ben"), Of("eva"));
    }

    private string NextId() => _orders++.ToString("x32");

    private Task<EgressOutcome> ClearRoundAsync(int round)
    {
        _hospital.Plan = _hospital.Plan with { Round = round };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        return _hospital.ClearAsync();
    }
}

using System.Reflection;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Egress.Plans;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Verifier;

namespace FedSeg.Egress.Tests;

public sealed class EgressGateTests : IDisposable
{
    private static readonly OutcomeNotice Notice = new(RunId.Parse("run-1"), 3, DropReason.OutOfMemory);

    private readonly HospitalOnDisk _hospital = new();

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Clear_GoodUpdate_IsInTheLedgerBeforeItIsCleared()
    {
        var cleared = await _hospital.ClearedAsync();

        Assert.Equal(["egressRequested", "egressDecided"], _hospital.Actions);
        var (request, decision) = (_hospital.Entries[0].Facts, _hospital.Entries[1].Facts);
        Assert.Equal(cleared.Digest.ToString(), request["update"]);
        Assert.Equal(cleared.PayloadSha256.ToString(), request["payloadSha256"]);
        Assert.Equal(Sha256Digest.Of(_hospital.Plan.ToBytes()).ToString(), request["plan"]);
        Assert.Equal((cleared.Digest.ToString(), "approved"), (decision["update"], decision["decision"]));
    }

    [Fact]
    public async Task Clear_GoodUpdate_DigestCoversReportAndPayload()
    {
        var cleared = await _hospital.ClearedAsync();

        Assert.Equal(Sha256Digest.Of([.. cleared.ReportBytes.Span, .. cleared.PayloadSha256!.Value.ToBytes()]), cleared.Digest);
        Assert.Equal(0.123, SiteReport.FromBytes(cleared.ReportBytes.Span).MeanLoss);
    }

    [Fact]
    public async Task Clear_SameUpdateTwice_HasTheSameDigest() => Assert.Equal((await _hospital.ClearedAsync()).Digest, (await _hospital.ClearedAsync()).Digest);

    [Fact]
    public async Task Clear_Refused_IsInTheLedgerAndKeepsNothing()
    {
        _hospital.Report = _hospital.Report with { TrainingCases = 1 };
        Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());

        Assert.Equal("refused", _hospital.Entries[^1].Facts["decision"]);
        Assert.Equal("failed: 1 (allowed: at least 10)", _hospital.Entries[0].Facts["rule.enoughCases"]);
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    [Fact]
    public async Task Clear_LedgerClosed_ClearsNothing()
    {
        _hospital.Ledger.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(_hospital.ClearAsync);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _hospital.Gate.ClearNoticeAsync(Notice, HospitalOnDisk.Token));
    }

    [Fact]
    public async Task Clear_LedgerDiskRefuses_ClearsNothingAndNothingIsPendingLater()
    {
        // As a full or failing disk: the request can't be written down, because a file stands where a folder must be.
        var blocked = Path.Combine(_hospital.Root, "ledger", "tile");
        await File.WriteAllTextAsync(blocked, "", HospitalOnDisk.Token);
        await Assert.ThrowsAnyAsync<IOException>(_hospital.ClearAsync);
        File.Delete(blocked);
        _hospital.Restart();

        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    [Fact]
    public async Task Clear_Cancelled_ClearsNothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            _hospital.Gate.ClearAsync(_hospital.Plan, new ModelUpdate(_hospital.Report, _hospital.DeltaPath), cancelled.Token));
        Assert.Empty(_hospital.Actions);
    }

    [Fact]
    public async Task Pending_AfterACrash_GivesTheApprovedUpdateBack()
    {
        var cleared = await _hospital.ClearedAsync();
        File.Delete(_hospital.DeltaPath);
        _hospital.Restart();
        var pending = Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));

        Assert.Equal((cleared.Digest, cleared.Run, cleared.Round, cleared.PayloadBytes), (pending.Digest, pending.Run, pending.Round, pending.PayloadBytes));
        Assert.Equal(cleared.ReportBytes.ToArray(), pending.ReportBytes.ToArray());
        await using var payload = pending.OpenPayload();
        Assert.Equal(cleared.PayloadSha256, await Sha256Digest.OfAsync(payload, HospitalOnDisk.Token));
    }

    [Fact]
    public async Task Pending_Evaluation_IsGivenBackToo()
    {
        _hospital.Plan = HospitalOnDisk.NewPlan(RoundTask.Evaluate);
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        var cleared = await _hospital.ClearedAsync();
        _hospital.Restart();

        Assert.Equal(cleared.Digest, Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token)).Digest);
    }

    [Fact]
    public async Task Pending_SentUpdate_IsNotGivenBack()
    {
        await _hospital.Gate.RecordSentAsync(await _hospital.ClearedAsync(), SendReceipt.Accepted);
        _hospital.Restart();

        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
        Assert.Equal("accepted", _hospital.Entries[^1].Facts["receipt"]);
    }

    [Fact]
    public async Task ApprovePlan_RoundWhoseUpdateArrived_IsNeitherTrainedAgainNorAnyBeforeIt()
    {
        var cleared = await _hospital.ClearedAsync();
        await _hospital.Gate.RecordFailedAsync(cleared, SendFailure.Unreachable);
        _hospital.Restart();
        // As long as nobody confirmed it, the same bytes are sent again.
        Assert.Equal(cleared.Digest, Assert.IsType<EgressOutcome.Cleared>(await _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token)).Update.Digest);
        await _hospital.Gate.RecordSentAsync(cleared, SendReceipt.Accepted);
        _hospital.Restart();

        Assert.Null(await _hospital.Gate.RecallAsync(_hospital.Plan, HospitalOnDisk.Token));
        foreach (var round in new[] { 3, 2 }) Assert.IsType<PlanOutcome.Repeated>(await _hospital.ApprovePlanAsync(_hospital.Plan with { Round = round }));
        Assert.Equal(("roundRefused", "2"), (_hospital.Actions[^1], _hospital.Entries[^1].Facts["round"]));
        Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(_hospital.Plan with { Round = 4 }));
    }

    /// <summary>It holds the bytes and does not count them: the round may be answered otherwise.</summary>
    [Fact]
    public async Task ApprovePlan_RoundWhoseUpdateWasNotTaken_MayBeTrainedAgain()
    {
        await _hospital.Gate.RecordSentAsync(await _hospital.ClearedAsync(), SendReceipt.RefusedByCoordinator);

        Assert.IsType<PlanOutcome.Waiting>(await _hospital.ApprovePlanAsync(_hospital.Plan));
    }

    [Fact]
    public async Task Pending_PolicyTakenAway_GivesNothingOutUntilItIsBack()
    {
        await _hospital.ClearedAsync();
        File.Delete(_hospital.PolicyPath);
        _hospital.Restart();
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));

        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy);
        Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
    }

    [Fact]
    public async Task Pending_FailedSend_IsGivenBack()
    {
        await _hospital.Gate.RecordFailedAsync(await _hospital.ClearedAsync(), SendFailure.Unreachable);
        _hospital.Restart();

        Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Equal(["egressRequested", "egressDecided", "egressFailed"], _hospital.Actions);
    }

    [Fact]
    public async Task Pending_SealedButNotDecided_IsRemoved()
    {
        Directory.CreateDirectory(Path.Combine(_hospital.OutboxPath, Sha256Digest.Of("undecided"u8).ToString()));
        Directory.CreateDirectory(Path.Combine(_hospital.OutboxPath, "sealing-1"));
        _hospital.Restart();

        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    [Theory]
    [InlineData("payload.safetensors")]
    [InlineData("report.json")]
    public async Task Pending_TamperedOutbox_IsDiscardedAndNoted(string file)
    {
        Tamper(await _hospital.ClearedAsync(), file);
        _hospital.Restart();

        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
        Assert.Equal("egressDiscarded", _hospital.Actions[^1]);
        Assert.Empty(Directory.GetFileSystemEntries(_hospital.OutboxPath));
    }

    [Fact]
    public async Task OpenPayload_TamperedAfterApproval_IsRefused()
    {
        var cleared = await _hospital.ClearedAsync();
        Tamper(cleared, "payload.safetensors");

        Assert.Throws<PayloadChangedException>(cleared.OpenPayload);
        await _hospital.Gate.RecordFailedAsync(cleared, SendFailure.PayloadChanged);
        Assert.Equal(["egressFailed", "egressDiscarded"], _hospital.Actions[2..]);
        Assert.Empty(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token));
    }

    [Fact]
    public async Task OpenPayload_FileGone_IsRefused()
    {
        var cleared = await _hospital.ClearedAsync();
        Directory.Delete(_hospital.OutboxPath, recursive: true);

        Assert.Throws<PayloadChangedException>(cleared.OpenPayload);
    }

    [Fact]
    public async Task DiscardRun_EndedRun_RemovesItsUpdatesAndNoOther()
    {
        await _hospital.ClearedAsync();
        _hospital.Plan = _hospital.Plan with { Run = RunId.Parse("run-2") };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        var other = await _hospital.ClearedAsync();
        await _hospital.Gate.DiscardRunAsync(RunId.Parse("run-1"));

        Assert.Equal(other.Digest, Assert.Single(await _hospital.Gate.PendingAsync(HospitalOnDisk.Token)).Digest);
    }

    [Fact]
    public async Task ClearNotice_Code_IsInTheLedgerFirst()
    {
        var outcome = Assert.IsType<NoticeOutcome.Cleared>(await _hospital.Gate.ClearNoticeAsync(Notice, HospitalOnDisk.Token));

        Assert.Equal(Notice, outcome.Notice.Notice);
        Assert.Equal(["noticeCleared"], _hospital.Actions);
        Assert.Equal("outOfMemory", _hospital.Entries[0].Facts["reason"]);
        await _hospital.Gate.RecordFailedAsync(outcome.Notice, SendFailure.Unauthorized);
        await _hospital.Gate.RecordSentAsync(outcome.Notice);
        Assert.Equal(["noticeCleared", "noticeFailed", "noticeSent"], _hospital.Actions);
    }

    [Fact]
    public async Task ClearNotice_NoPolicy_IsRefused()
    {
        File.Delete(_hospital.PolicyPath);

        Assert.IsType<NoticeOutcome.Refused>(await _hospital.Gate.ClearNoticeAsync(Notice, HospitalOnDisk.Token));
        Assert.Equal(["noticeRefused"], _hospital.Actions);
    }

    [Fact]
    public Task ClearNotice_UndefinedCode_IsRefused() => Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
        _hospital.Gate.ClearNoticeAsync(Notice with { Reason = (DropReason)99 }, HospitalOnDisk.Token));

    [Theory]
    [InlineData(typeof(ClearedUpdate))]
    [InlineData(typeof(ClearedNotice))]
    public void Cleared_Type_CanOnlyBeMadeByTheGate(Type type)
    {
        Assert.True(type.IsSealed);
        Assert.All(type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), constructor => Assert.True(constructor.IsAssembly));
        Assert.DoesNotContain(type.GetMethods(BindingFlags.Static | BindingFlags.Public), method => method.ReturnType == type);
    }

    [Fact]
    public async Task Ledger_AfterAWholeRound_VerifiesAndNamesNoPath()
    {
        await _hospital.Gate.RecordSentAsync(await _hospital.ClearedAsync(), SendReceipt.Accepted);

        Assert.True(LedgerVerifier.VerifyFolder(Path.Combine(_hospital.Root, "ledger")).Verified);
        Assert.All(_hospital.Entries.SelectMany(entry => entry.Facts.Values), value => Assert.DoesNotContain(_hospital.Root, value, StringComparison.Ordinal));
    }

    private void Tamper(ClearedUpdate update, string file)
    {
        var path = Path.Combine(_hospital.OutboxPath, update.Digest.ToString(), file);
        var bytes = File.ReadAllBytes(path);
        bytes[^3] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}

using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Ledger.Storage;

namespace FedSeg.Coordinator.Tests.Ledgers;

public sealed class CoordinatorLedgerTests : IDisposable
{
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task Receive_AcceptedUpdate_IsInTheLedgerBeforeItIsAcknowledged()
    {
        var plan = _coordinator.CreateAndOpen();
        var update = SiteUpdate.Of(plan, CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North));
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(update));

        var entry = _coordinator.Ledger.Read().Entries().Single(entry => entry.Action == "updateAccepted");
        Assert.Equal(("north", "1", update.Announced.Digest.ToString()), (entry.Facts["site"], entry.Facts["round"], entry.Facts["update"]));
        Assert.Equal(update.Announced.Payload.ToString(), entry.Facts["payloadSha256"]);
    }

    [Fact]
    public async Task Receive_SameUpdateTwice_IsNotedOnce()
    {
        var update = SiteUpdate.Of(_coordinator.CreateAndOpen(), CoordinatorOnDisk.North, _coordinator.KeyOf(CoordinatorOnDisk.North));
        await _coordinator.SendAsync(update);
        await _coordinator.SendAsync(update);
        _coordinator.Reopen();
        await _coordinator.SendAsync(update);

        Assert.Single(_coordinator.Ledger.Read().Entries(), entry => entry.Action == "updateAccepted");
    }

    public static TheoryData<UploadOutcome, Func<SiteReport, SiteReport>> WrongReports => new()
    {
        { UploadOutcome.WrongRun, report => report with { Run = RunId.Parse("run-other") } },
        { UploadOutcome.WrongRound, report => report with { Round = 7 } },
        { UploadOutcome.WrongBase, report => report with { BaseModel = Sha256Digest.Of("other"u8) } },
    };

    [Theory]
    [MemberData(nameof(WrongReports))]
    public async Task Receive_UpdateOfAnotherRunRoundOrModel_IsRefusedByNameAndNoted(
        UploadOutcome expected, Func<SiteReport, SiteReport> change)
    {
        var plan = _coordinator.CreateAndOpen();
        var wrong = UpdateOf(plan, change(SiteUpdate.Report(plan, North)), 0.5f);

        Assert.Equal(expected, await _coordinator.SendAsync(wrong));

        var entry = Assert.Single(Refused());
        Assert.Equal((plan.Run.ToString(), "1", "north"), (entry.Facts["run"], entry.Facts["round"], entry.Facts["site"]));
        Assert.Equal((wrong.Announced.Digest.ToString(), expected.ToString()), (entry.Facts["update"], entry.Facts["reason"]));
    }

    [Fact]
    public async Task Receive_OldUpdateInTheNextRound_CountsNowhereAndIsNotNoted()
    {
        var first = _coordinator.CreateAndOpen();
        var old = UpdateOf(first, SiteUpdate.Report(first, North), 0.5f);
        await _coordinator.SendAsync(old);
        OpenNext(first);

        // The site is told again that it counts, in the round it was made for.
        Assert.Equal(UploadOutcome.Accepted, await _coordinator.SendAsync(old));

        Assert.Empty(_coordinator.Book.Find(first.Run)!.OpenRound!.Accepted);
        Assert.Empty(Refused());
    }

    [Fact]
    public async Task Receive_UpdateTheLastRoundDidNotGet_IsOfTheWrongRoundAndNoted()
    {
        var first = _coordinator.CreateAndOpen();
        var late = UpdateOf(first, SiteUpdate.Report(first, North), 0.5f);
        OpenNext(first);

        Assert.Equal(UploadOutcome.WrongRound, await _coordinator.SendAsync(late));

        Assert.Equal(("2", "WrongRound"), (Assert.Single(Refused()).Facts["round"], Refused()[0].Facts["reason"]));
    }

    [Fact]
    public async Task Receive_OtherBytesForAnAnsweredRound_AreRefusedAndNotedOnceEvenAfterARestart()
    {
        var plan = _coordinator.CreateAndOpen();
        await _coordinator.SendAsync(UpdateOf(plan, SiteUpdate.Report(plan, North), 0.5f));

        for (var i = 1; i <= 3; i++)
        {
            var other = UpdateOf(plan, SiteUpdate.Report(plan, North), i * 0.25f - 1);
            Assert.Equal(UploadOutcome.AlreadyAnswered, await _coordinator.SendAsync(other));
            _coordinator.Reopen();
        }

        Assert.Equal("AlreadyAnswered", Assert.Single(Refused()).Facts["reason"]);
    }

    [Fact]
    public async Task Receive_CutUpload_IsNoMatterForTheLedger()
    {
        var plan = _coordinator.CreateAndOpen();
        var update = UpdateOf(plan, SiteUpdate.Report(plan, North), 0.5f);

        Assert.Equal(UploadOutcome.Incomplete, await _coordinator.SendAsync(update with { Bytes = update.Bytes[..100] }));

        Assert.Empty(Refused());
    }

    [Fact]
    public async Task Note_JournalAheadOfTheLedger_CatchesUp()
    {
        // As after a crash between the journal's commit and the ledger's.
        var plan = _coordinator.CreateAndOpen();
        var model = new ModelRef(plan.BaseModel, plan.BaseModelBytes);
        _coordinator.Book.Step(plan.Run, new RunInput.Merged { Round = _coordinator.Book.Find(plan.Run)!.OpenRound!, Model = model }, _coordinator.Time.GetUtcNow());
        Assert.Empty(_coordinator.Ledger.Read().Entries());

        await _coordinator.Ledger.NoteAsync(_coordinator.Book.Find(plan.Run)!);
        Assert.Equal([("modelPublished", "0"), ("modelPublished", "1")], _coordinator.Ledger.Read().Entries().Select(entry => (entry.Action, entry.Facts["round"])));
    }

    [Fact]
    public async Task Note_RoundsOverAndNoted_AreNotNotedAgain()
    {
        var plan = _coordinator.CreateAndOpen();
        await _coordinator.SendAsync(UpdateOf(plan, SiteUpdate.Report(plan, North), 0.5f));
        OpenNext(plan);
        for (var i = 1; i <= 2; i++)
        {
            await _coordinator.Ledger.NoteAsync(_coordinator.Book.Find(plan.Run)!);
            await _coordinator.Ledger.NoteAsync(_coordinator.Book.Find(plan.Run)!);
            _coordinator.Reopen();
        }

        Assert.Equal(
            [("updateAccepted", "1"), ("modelPublished", "0"), ("modelPublished", "1")],
            _coordinator.Ledger.Read().Entries().Select(entry => (entry.Action, entry.Facts["round"])).OrderByDescending(entry => entry.Action).ThenBy(entry => entry.Item2));
    }

    [Fact]
    public async Task Note_FromAnOlderLookAtTheRun_AddsNothingToARoundThatIsOver()
    {
        var plan = _coordinator.CreateAndOpen();
        await _coordinator.SendAsync(UpdateOf(plan, SiteUpdate.Report(plan, North), 0.5f));
        var before = _coordinator.Book.Find(plan.Run)!;
        OpenNext(plan);
        await _coordinator.Ledger.NoteAsync(_coordinator.Book.Find(plan.Run)!);
        var entries = _coordinator.Ledger.Read().Count;

        await _coordinator.Ledger.NoteAsync(before);

        Assert.Equal(entries, _coordinator.Ledger.Read().Count);
    }

    /// <summary>Each time a site's ledger stops being what it was is an event; that the site asks again and again is none.</summary>
    [Fact]
    public async Task NoteRefusal_AgainAfterItWasCosigned_IsNotedAnew()
    {
        for (var time = 0; time < 2; time++)
        {
            for (var attempt = 0; attempt < 3; attempt++) await _coordinator.Ledger.NoteRefusalAsync("north", "Forked");
            _coordinator.Ledger.NoteCosigned("east");
            await _coordinator.Ledger.NoteRefusalAsync("north", "Forked");
            _coordinator.Ledger.NoteCosigned("north");
        }

        Assert.Equal(["siteLedgerRefused", "siteLedgerRefused"], _coordinator.Ledger.Read().Entries().Select(entry => entry.Action));
    }

    private static SiteId North => CoordinatorOnDisk.North;

    private SiteUpdate UpdateOf(RoundPlan plan, SiteReport report, float value) =>
        SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), report.ToBytes(), SiteUpdate.Weights(plan, value));

    private List<LedgerEntry> Refused() => [.. _coordinator.Ledger.Read().Entries().Where(entry => entry.Action == "updateRefused")];

    /// <summary>Closes the open round with the model it began with, and opens the next one.</summary>
    private void OpenNext(RoundPlan plan)
    {
        var open = _coordinator.Book.Find(plan.Run)!.OpenRound!;
        var model = new ModelRef(plan.BaseModel, plan.BaseModelBytes);
        _coordinator.Book.Step(plan.Run, new RunInput.Merged { Round = open, Model = model }, _coordinator.Time.GetUtcNow());
        _coordinator.Book.Step(plan.Run, new RunInput.Continued(), _coordinator.Time.GetUtcNow());
    }
}

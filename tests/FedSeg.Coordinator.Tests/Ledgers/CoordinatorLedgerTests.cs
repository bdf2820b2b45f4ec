using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Rounds;

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
}

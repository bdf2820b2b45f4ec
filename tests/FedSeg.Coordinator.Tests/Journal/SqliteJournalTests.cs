using FedSeg.Coordinator.Journal;
using FedSeg.Testing;

namespace FedSeg.Coordinator.Tests.Journal;

public sealed class SqliteJournalTests : RunJournalTests, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OpenReadOnly_FolderWithoutAJournal_IsRefused() =>
        Assert.Contains("journal.db", Assert.Throws<InvalidDataException>(() => SqliteJournal.OpenReadOnly(_folder["none"])).Message);

    private protected override Task<IRunJournal> CreateAsync() => Task.FromResult(Reopen());

    private protected override IRunJournal Reopen() => new SqliteJournal(_folder["data"]);

    private protected override IRunJournal OpenReadOnly() => SqliteJournal.OpenReadOnly(_folder["data"]);
}

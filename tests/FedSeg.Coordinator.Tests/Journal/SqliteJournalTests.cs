using FedSeg.Coordinator.Journal;
using FedSeg.Testing;
using Microsoft.Data.Sqlite;

namespace FedSeg.Coordinator.Tests.Journal;

public sealed class SqliteJournalTests : RunJournalTests, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OpenReadOnly_FolderWithoutAJournal_IsRefused() =>
        Assert.Contains("journal.db", Assert.Throws<InvalidDataException>(() => SqliteJournal.OpenReadOnly(_folder["none"])).Message);

    /// <summary>A backup program, or somebody with a shell: what can't be entered now is tried again and loses nothing.</summary>
    [Fact]
    public void Append_WhileAnotherProgramHoldsTheJournal_IsRefusedAndGoesThroughAfterwards()
    {
        using var journal = new SqliteJournal(_folder["data"], TimeSpan.FromSeconds(1));
        journal.Append(Run, Ended("first"));
        using var other = new SqliteConnection($"Data Source={_folder["data", "journal.db"]};Pooling=False");
        other.Open();
        using (var begin = other.CreateCommand())
        {
            begin.CommandText = "BEGIN IMMEDIATE";
            begin.ExecuteNonQuery();
        }

        Assert.Contains("Another program", Assert.Throws<IOException>(() => journal.Append(Run, Ended("second"))).Message);
        Assert.Equal([Ended("first")], journal.ReadAll().Select(entry => entry.Event));
        other.Close();
        journal.Append(Run, Ended("second"));

        Assert.Equal([Ended("first"), Ended("second")], journal.ReadAll().Select(entry => entry.Event));
    }

    /// <summary>A power cut tore the last page that was being written; only what was never acknowledged was on it.</summary>
    [Fact]
    public void ReadAll_WriteAheadLogTorn_HasEverythingBeforeAndGoesOn()
    {
        Directory.CreateDirectory(_folder["torn"]);
        using (var journal = new SqliteJournal(_folder["data"]))
        {
            foreach (var number in Enumerable.Range(1, 20)) journal.Append(Run, Ended($"{number}"));
            // As a machine that goes down leaves it: a journal that is closed takes the log into the file.
            foreach (var name in new[] { "journal.db", "journal.db-wal" }) File.Copy(_folder["data", name], _folder["torn", name]);
        }

        using (var log = new FileStream(_folder["torn", "journal.db-wal"], FileMode.Open)) log.SetLength(log.Length - 100);
        using (var journal = new SqliteJournal(_folder["torn"]))
        {
            Assert.Equal(Enumerable.Range(1, 19).Select(number => Ended($"{number}")), journal.ReadAll().Select(entry => entry.Event));
            journal.Append(Run, Ended("again"));
        }

        using var reopened = new SqliteJournal(_folder["torn"]);
        Assert.Equal(Ended("again"), reopened.ReadAll().Last().Event);
        Assert.Equal(20, reopened.ReadAll().Count());
    }

    [Fact]
    public void Open_WhatIsNoDatabase_IsRefusedInOneLine()
    {
        Directory.CreateDirectory(_folder["data"]);
        File.WriteAllText(_folder["data", "journal.db"], new string('x', 5000));

        Assert.Contains("journal.db", Assert.Throws<IOException>(Reopen).Message);
    }

    private protected override Task<IRunJournal> CreateAsync() => Task.FromResult(Reopen());

    private protected override IRunJournal Reopen() => new SqliteJournal(_folder["data"]);

    private protected override IRunJournal OpenReadOnly() => SqliteJournal.OpenReadOnly(_folder["data"]);
}

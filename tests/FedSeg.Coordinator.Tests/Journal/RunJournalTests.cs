using FedSeg.Coordinator.Journal;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Journal;

/// <summary>What every journal must do, wherever it keeps its events.</summary>
public abstract class RunJournalTests
{
    protected static RunId Run { get; } = RunId.Parse("run-1");

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadAll_NewJournal_IsEmpty()
    {
        using var journal = await CreateAsync();

        Assert.Empty(journal.ReadAll());
    }

    [Fact]
    public async Task Append_EventsOfTwoRuns_AreReadInOrderAfterARestart()
    {
        var other = RunId.Parse("run-2");
        (RunId Run, RunEvent Event)[] written = [.. Enumerable.Range(1, 50).Select(i => (i % 3 == 0 ? other : Run, Ended($"{i} ' \" \\ ñ 台灣 \u0001")))];
        using (var journal = await CreateAsync())
        {
            foreach (var (run, next) in written) journal.Append(run, next);
        }

        using var reopened = Reopen();
        Assert.Equal(written, reopened.ReadAll());
    }

    [Fact]
    public async Task Append_AfterARestart_GoesOnBehindWhatIsThere()
    {
        using (var journal = await CreateAsync()) journal.Append(Run, Ended("first"));
        using (var journal = Reopen()) journal.Append(Run, Ended("second"));

        using var reopened = Reopen();
        Assert.Equal([Ended("first"), Ended("second")], reopened.ReadAll().Select(entry => entry.Event));
    }

    [Fact]
    public async Task OpenReadOnly_WhileAnotherWrites_ReadsAndNeverWrites()
    {
        using var journal = await CreateAsync();
        journal.Append(Run, Ended("first"));

        using var reader = OpenReadOnly();
        Assert.Equal([(Run, Ended("first"))], reader.ReadAll());
        Assert.ThrowsAny<Exception>(() => reader.Append(Run, Ended("never")));
        journal.Append(Run, Ended("second"));
        Assert.Equal([Ended("first"), Ended("second")], reader.ReadAll().Select(entry => entry.Event));
    }

    /// <summary>A journal in an empty place.</summary>
    private protected abstract Task<IRunJournal> CreateAsync();

    /// <summary>The same place again.</summary>
    private protected abstract IRunJournal Reopen();

    private protected abstract IRunJournal OpenReadOnly();

    private protected static RunEvent Ended(string reason) => new RunEvent.Ended { At = DateTimeOffset.UnixEpoch, Outcome = RunOutcome.Failed, Reason = reason };
}

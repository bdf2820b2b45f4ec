using FedSeg.Coordinator.Journal;
using FedSeg.Federation.Rounds;

namespace FedSeg.Coordinator.Tests.Journal;

public sealed class PostgresJournalTests(PostgresServer server) : RunJournalTests
{
    private const string BreakEveryConnection = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    /// <summary>A name longer than any that a name server knows: it is asked for none.</summary>
    private static readonly string Unresolvable = $"Host={new string('x', 64)}.invalid;Username=x;Database=x";

    private string _database = "";

    [Fact]
    public async Task Append_ConnectionBrokeBefore_IsStoredOnce()
    {
        using var journal = await CreateAsync();
        journal.Append(Run, Ended("first"));
        await PostgresServer.ExecuteAsync(_database, BreakEveryConnection, Token);

        journal.Append(Run, Ended("second"));

        Assert.Equal([Ended("first"), Ended("second")], journal.ReadAll().Select(entry => entry.Event));
    }

    /// <summary>As when the connection breaks between the commit and its answer: the entry is there, and nobody was told.</summary>
    [Fact]
    public async Task Append_EntryIsThereAlready_CountsItOnce()
    {
        using var journal = await CreateAsync();
        await InsertAsync(1, Ended("first"));

        journal.Append(Run, Ended("first"));
        journal.Append(Run, Ended("second"));

        Assert.Equal([Ended("first"), Ended("second")], journal.ReadAll().Select(entry => entry.Event));
    }

    [Fact]
    public async Task Append_AnotherWriterTookTheNumber_EndsTheProcess()
    {
        var ended = "";
        _database = await server.CreateDatabaseAsync(Token);
        using var journal = Open(() => _database, TimeSpan.FromSeconds(30), message => ended = message);
        await InsertAsync(1, Ended("of somebody else"));

        Assert.Throws<IOException>(() => journal.Append(Run, Ended("first")));
        Assert.Contains("Another coordinator", ended);
    }

    [Fact]
    public async Task Append_DatabaseStaysAway_EndsTheProcess()
    {
        var ended = "";
        _database = await server.CreateDatabaseAsync(Token);
        using var journal = Open(() => _database, TimeSpan.FromSeconds(0.5), message => ended = message);
        await server.DropDatabaseAsync(_database, Token);

        Assert.Throws<IOException>(() => journal.Append(Run, Ended("first")));
        Assert.Contains("did not come back", ended);
    }

    /// <summary>As when the name server is away for a moment, just when the connection broke.</summary>
    [Fact]
    public async Task Append_HostNameDoesNotResolveForAMoment_IsStoredOnce()
    {
        _database = await server.CreateDatabaseAsync(Token);
        var connections = 0;
        using var journal = Open(() => ++connections == 2 ? Unresolvable : _database, TimeSpan.FromSeconds(30), Assert.Fail);
        await PostgresServer.ExecuteAsync(_database, BreakEveryConnection, Token);

        journal.Append(Run, Ended("first"));

        Assert.Equal(3, connections);
        Assert.Equal([Ended("first")], journal.ReadAll().Select(entry => entry.Event));
    }

    [Fact]
    public async Task Open_WhileAnotherWrites_IsRefused()
    {
        using var journal = await CreateAsync();

        Assert.Contains("Another coordinator", Assert.Throws<InvalidDataException>(Reopen).Message);
    }

    [Fact]
    public void Open_NoSuchServer_SaysSo() =>
        Assert.Contains("PostgreSQL", Assert.Throws<InvalidDataException>(() => new PostgresJournal("Host=/nowhere;Username=x;Database=x", TimeProvider.System)).Message);

    [Fact]
    public void Open_HostNameDoesNotResolve_SaysSo()
    {
        var refused = Assert.Throws<InvalidDataException>(() => new PostgresJournal(Unresolvable, TimeProvider.System));
        Assert.Contains("PostgreSQL", refused.Message);
    }

    private protected override async Task<IRunJournal> CreateAsync()
    {
        _database = await server.CreateDatabaseAsync(Token);
        return Reopen();
    }

    private static PostgresJournal Open(Func<string> connectionString, TimeSpan patience, Action<string> end) =>
        new(connectionString, readOnly: false, patience, TimeProvider.System, end);

    private protected override IRunJournal Reopen() => new PostgresJournal(_database, TimeProvider.System);

    private protected override IRunJournal OpenReadOnly() => PostgresJournal.OpenReadOnly(_database);

    private Task InsertAsync(long sequence, RunEvent next) =>
        PostgresServer.ExecuteAsync(_database, $"INSERT INTO fedseg_events VALUES ({sequence}, '{Run}', '{next.ToJson()}')", Token);
}

using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using Npgsql;

namespace FedSeg.Coordinator.Journal;

/// <summary>
/// The journal as a table in PostgreSQL, for a coordinator whose own disk may be lost. The writer numbers events itself: an append whose answer was lost is repeated under
/// the same number, finds itself there or not, and is stored once either way. A session lock keeps a second coordinator out; should one get in all the same, it takes a
/// number, and the first one ends.
/// </summary>
internal sealed class PostgresJournal : IRunJournal
{
    /// <summary>The advisory lock of the one writer: "fedseg" as bytes.</summary>
    private const long WriterLock = 0x666564736567;

    private const int LockAttempts = 8;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly Func<string> _connectionString;
    private readonly bool _readOnly;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly Action<string> _end;
    private NpgsqlConnection _connection;
    private long _last;

    /// <summary>Opens the journal for writing; makes its table in an empty database.</summary>
    /// <param name="connectionString">As Npgsql takes it, such as <c>Host=db;Database=fedseg;Username=fedseg;Passfile=/etc/fedseg/pgpass</c>.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidDataException">The database can't be reached, or another coordinator writes there.</exception>
    public PostgresJournal(string connectionString, TimeProvider time)
        : this(() => connectionString, readOnly: false, TimeSpan.FromSeconds(30), time, message => Environment.FailFast(message))
    {
    }

    /// <param name="connectionString">As Npgsql takes it; asked for at each connection.</param>
    /// <param name="readOnly">To look at, also while a coordinator writes it.</param>
    /// <param name="patience">How long an append waits for a database that went away.</param>
    /// <param name="time">The clock.</param>
    /// <param name="end">Ends the process.</param>
    internal PostgresJournal(Func<string> connectionString, bool readOnly, TimeSpan patience, TimeProvider time, Action<string> end)
    {
        (_connectionString, _readOnly, _patience, _time, _end) = (connectionString, readOnly, patience, time, end);
        _connection = NewConnection();
        try
        {
            Open();
            if (!readOnly) Execute("CREATE TABLE IF NOT EXISTS fedseg_events (sequence bigint PRIMARY KEY, run text NOT NULL, event text NOT NULL)");
            using var command = new NpgsqlCommand("SELECT coalesce(max(sequence), 0) FROM fedseg_events", _connection);
            _last = (long)command.ExecuteScalar()!;
        }
        catch (Exception error) when (IsUnreachable(error))
        {
            _connection.Dispose();
            throw new InvalidDataException("The run journal in PostgreSQL can't be used: " + error.Message, error);
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>A journal to look at, also while a coordinator writes it.</summary>
    /// <exception cref="InvalidDataException">The database can't be reached or holds none.</exception>
    public static PostgresJournal OpenReadOnly(string connectionString) =>
        new(() => connectionString, readOnly: true, TimeSpan.Zero, TimeProvider.System, message => Environment.FailFast(message));

    public void Append(RunId run, RunEvent next)
    {
        if (_readOnly) throw new InvalidOperationException("The journal was opened to be read.");
        var entry = new Entry(_last + 1, run.ToString(), next.ToJson());
        var given = _time.GetTimestamp();
        while (!TryStore(entry))
        {
            if (_time.GetElapsedTime(given) > _patience)
            {
                _end("The database of the run journal did not come back, and whether it stored the last event is unknown; this process ends, and a new start reads what was stored.");
                throw new IOException("The database of the run journal did not come back.");
            }

            // Nothing else may be decided meanwhile, so the caller waits here.
            Task.Delay(RetryInterval, _time).GetAwaiter().GetResult();
        }

        _last = entry.Sequence;
    }

    public IEnumerable<(RunId Run, RunEvent Event)> ReadAll()
    {
        using var command = new NpgsqlCommand("SELECT run, event FROM fedseg_events ORDER BY sequence", _connection);
        using var reader = command.ExecuteReader();
        while (reader.Read()) yield return (RunId.Parse(reader.GetString(0)), RunEvent.FromJson(reader.GetString(1)));
    }

    public void Dispose() => _connection.Dispose();

    /// <summary>Stores an entry, or finds that it is stored.</summary>
    /// <returns><see langword="false"/> when the database could not be asked.</returns>
    /// <exception cref="IOException">There is no room; the entry is not stored.</exception>
    private bool TryStore(Entry entry)
    {
        try
        {
            if (_connection.State != System.Data.ConnectionState.Open) Reopen();
            using var insert = new NpgsqlCommand("INSERT INTO fedseg_events (sequence, run, event) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", _connection)
            {
                Parameters = { new() { Value = entry.Sequence }, new() { Value = entry.Run }, new() { Value = entry.Event } },
            };
            if (insert.ExecuteNonQuery() == 0 && Find(entry.Sequence) != entry)
            {
                _end("Another coordinator wrote to this one's run journal; this process ends. Let only one of them run.");
                throw new IOException("Another coordinator wrote to this one's run journal.");
            }

            return true;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.DiskFull or PostgresErrorCodes.OutOfMemory)
        {
            throw new IOException("The journal could not grow: " + error.MessageText, error);
        }
        catch (Exception error) when (IsUnreachable(error))
        {
            // The connection broke, before or after the entry was stored; or the server shuts down.
            return false;
        }
        catch (InvalidDataException)
        {
            // The old connection's lock has not been let go yet, or somebody else has it: patience decides.
            return false;
        }
    }

    /// <summary>
    /// Npgsql 10 has an exception of its own for all of it, a name that does not resolve included; another release may let through what it
    /// comes from.
    /// </summary>
    private static bool IsUnreachable(Exception error) => error is NpgsqlException or System.Net.Sockets.SocketException or TimeoutException;

    private Entry? Find(long sequence)
    {
        using var command = new NpgsqlCommand("SELECT run, event FROM fedseg_events WHERE sequence = $1", _connection) { Parameters = { new() { Value = sequence } } };
        using var reader = command.ExecuteReader();
        return reader.Read() ? new Entry(sequence, reader.GetString(0), reader.GetString(1)) : null;
    }

    private void Reopen()
    {
        _connection.Dispose();
        _connection = NewConnection();
        Open();
    }

    /// <summary>Without a pool: the lock and its connection are one.</summary>
    private NpgsqlConnection NewConnection() => new(new NpgsqlConnectionStringBuilder(_connectionString()) { Pooling = false }.ToString());

    private void Open()
    {
        _connection.Open();
        if (_readOnly) return;
        // Whatever the server's default is, a commit waits for the disk.
        Execute("SET synchronous_commit = on");
        using var command = new NpgsqlCommand($"SELECT pg_try_advisory_lock({WriterLock})", _connection);
        for (var attempt = 1; attempt <= LockAttempts; attempt++)
        {
            if (command.ExecuteScalar() is true) return;
            // The server learns a moment late that a coordinator which was killed and started again is gone.
            Task.Delay(RetryInterval, _time).GetAwaiter().GetResult();
        }

        _connection.Close();
        throw new InvalidDataException("Another coordinator writes the run journal of this database.");
    }

    private void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        command.ExecuteNonQuery();
    }

    private sealed record Entry(long Sequence, string Run, string Event);
}

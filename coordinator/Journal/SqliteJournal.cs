using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Storage;
using Microsoft.Data.Sqlite;

namespace FedSeg.Coordinator.Journal;

/// <summary>The journal as an SQLite file in the coordinator's data folder: nothing to install, nothing to look after.</summary>
internal sealed class SqliteJournal : IRunJournal
{
    private const string FileName = "journal.db";

    /// <summary>SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL and SQLITE_IOERR, <c>sqlite.org/rescode.html</c>.</summary>
    private const int Busy = 5, Locked = 6, DiskFull = 13, DiskFailed = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SqliteConnection _connection;

    /// <summary>Opens the journal for writing; makes it in a folder without one.</summary>
    /// <exception cref="IOException">The disk is full or does not read, or another program holds the journal.</exception>
    public SqliteJournal(string dataDirectory)
        : this(dataDirectory, Patience)
    {
    }

    /// <param name="dataDirectory">The coordinator's data folder.</param>
    /// <param name="patience">How long an append waits for another program to let the journal go, whole seconds.</param>
    internal SqliteJournal(string dataDirectory, TimeSpan patience)
        : this(Path.Combine(Directory.CreateDirectory(dataDirectory).FullName, FileName), SqliteOpenMode.ReadWriteCreate, patience)
    {
        try
        {
            // FULL makes every commit wait for the disk, also in write-ahead mode.
            Execute("PRAGMA journal_mode = WAL");
            Execute("PRAGMA synchronous = FULL");
            Execute("CREATE TABLE IF NOT EXISTS events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, event TEXT NOT NULL) STRICT");
        }
        catch (SqliteException error)
        {
            _connection.Dispose();
            throw new IOException($"The journal '{_connection.DataSource}' could not be opened: {error.Message}", error);
        }
    }

    private SqliteJournal(string path, SqliteOpenMode mode, TimeSpan patience)
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = (int)patience.TotalSeconds };
        _connection = new SqliteConnection(settings.ToString());
        try
        {
            _connection.Open();
        }
        catch (SqliteException error)
        {
            _connection.Dispose();
            throw new IOException($"The journal '{path}' could not be opened: {error.Message}", error);
        }
    }

    /// <summary>A journal to look at, also while a coordinator writes it.</summary>
    /// <exception cref="InvalidDataException">There is none in the folder.</exception>
    public static SqliteJournal OpenReadOnly(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        return File.Exists(path)
            ? new SqliteJournal(path, SqliteOpenMode.ReadOnly, Patience)
            : throw new InvalidDataException($"'{dataDirectory}' is not a coordinator's data folder: it holds no {FileName}.");
    }

    public void Append(RunId run, RunEvent next)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "INSERT INTO events (run, event) VALUES ($run, $event)";
        command.Parameters.AddWithValue("$run", run.ToString());
        command.Parameters.AddWithValue("$event", next.ToJson());
        try
        {
            command.ExecuteNonQuery();
        }
        catch (SqliteException error) when (error.SqliteErrorCode == DiskFull)
        {
            throw new IOException("The journal could not grow: " + error.Message, error);
        }
        catch (SqliteException error) when (error.SqliteErrorCode is Busy or Locked)
        {
            throw new IOException("Another program holds the journal: " + error.Message, error);
        }
        catch (SqliteException error) when (error.SqliteErrorCode == DiskFailed)
        {
            DurableFile.Distrust(_connection.DataSource, error);
            throw;
        }
    }

    public IEnumerable<(RunId Run, RunEvent Event)> ReadAll()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT run, event FROM events ORDER BY sequence";
        using var reader = command.ExecuteReader();
        while (reader.Read()) yield return (RunId.Parse(reader.GetString(0)), RunEvent.FromJson(reader.GetString(1)));
    }

    public void Dispose() => _connection.Dispose();

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

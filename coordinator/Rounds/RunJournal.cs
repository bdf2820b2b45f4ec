using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using Microsoft.Data.Sqlite;

namespace FedSeg.Coordinator.Rounds;

/// <summary>The append-only journal of all runs, in SQLite. An event is on the disk when <see cref="Append"/> returns.</summary>
internal sealed class RunJournal : IDisposable
{
    private readonly SqliteConnection _connection;

    private const string FileName = "journal.db";

    public RunJournal(string dataDirectory)
        : this(Path.Combine(Directory.CreateDirectory(dataDirectory).FullName, FileName), SqliteOpenMode.ReadWriteCreate)
    {
        // FULL makes every commit wait for the disk, also in write-ahead mode.
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        Execute("CREATE TABLE IF NOT EXISTS events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, event TEXT NOT NULL) STRICT");
    }

    private RunJournal(string path, SqliteOpenMode mode)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString());
        _connection.Open();
    }

    /// <summary>A journal to look at, also while a coordinator writes it.</summary>
    /// <exception cref="InvalidDataException">There is none in the folder.</exception>
    public static RunJournal OpenReadOnly(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        return File.Exists(path)
            ? new RunJournal(path, SqliteOpenMode.ReadOnly)
            : throw new InvalidDataException($"'{dataDirectory}' is not a coordinator's data folder: it holds no {FileName}.");
    }

    /// <summary>Appends one event; durable when this returns. Callers append one at a time.</summary>
    public void Append(RunId run, RunEvent next)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "INSERT INTO events (run, event) VALUES ($run, $event)";
        command.Parameters.AddWithValue("$run", run.ToString());
        command.Parameters.AddWithValue("$event", next.ToJson());
        command.ExecuteNonQuery();
    }

    /// <summary>Every event of every run, oldest first.</summary>
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

using System.Diagnostics;
using FedSeg.Coordinator.Tests.Journal;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace FedSeg.Coordinator.Tests.Journal;

/// <summary>A real PostgreSQL, Debian's package, in a folder of its own, reached by a socket there and by nothing else. Started when first asked for.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Versions = "/usr/lib/postgresql", ServerUser = "postgres";

    private readonly SemaphoreSlim _starting = new(1);
    private string? _folder;
    private Process? _server;
    private int _databases;

    /// <summary>The connection string of a new, empty database.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_server is null) await StartAsync(cancellationToken);
        }
        finally
        {
            _starting.Release();
        }

        var name = $"test{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(Connection("postgres"), $"CREATE DATABASE {name}", cancellationToken);
        return Connection(name);
    }

    /// <summary>Takes a database away, whoever is connected to it.</summary>
    public Task DropDatabaseAsync(string connectionString, CancellationToken cancellationToken) => ExecuteAsync(
        Connection("postgres"), $"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)", cancellationToken);

    public static async Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            // SIGQUIT to the one that heads the others: they go at once, nothing is to be kept.
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
            _server.Dispose();
        }

        if (_folder is not null) Directory.Delete(_folder, recursive: true);
        _starting.Dispose();
    }

    private string Connection(string database) => $"Host={_folder};Username=postgres;Database={database};Pooling=false";

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var programs = Directory.Exists(Versions) ? Directory.GetDirectories(Versions).Order(StringComparer.Ordinal).LastOrDefault() : null;
        Assert.SkipWhen(programs is null, "No PostgreSQL to test with: apt-get install postgresql. The journal in PostgreSQL was not tested.");
        // Short: a socket's path has at most 107 characters.
        _folder = Directory.CreateTempSubdirectory("fedseg-pg-").FullName;
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", [ServerUser, _folder], cancellationToken);
        var data = Path.Combine(_folder, "data");
        string[] initialise = [$"{programs}/bin/initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
        await RunAsync(initialise, cancellationToken);
        _server = Start([$"{programs}/bin/postgres", "-D", data, "-k", _folder, "-c", "listen_addresses="]);
        await UntilItAnswersAsync(cancellationToken);
    }

    private async Task UntilItAnswersAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ExecuteAsync(Connection("postgres"), "SELECT 1", cancellationToken);
                return;
            }
            catch (NpgsqlException) when (attempt < 300 && !_server!.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
            }
        }
    }

    private static Task RunAsync(string[] command, CancellationToken cancellationToken)
    {
        var all = AsServerUser(command);
        return RunAsync(all[0], all[1..], cancellationToken);
    }

    private static async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        Assert.True(process.ExitCode == 0, $"{program}: {await output}{error}");
    }

    private static Process Start(string[] command)
    {
        var all = AsServerUser(command);
        var process = Process.Start(new ProcessStartInfo(all[0], all[1..]) { RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static string[] AsServerUser(string[] command) => Environment.IsPrivilegedProcess
        ? ["setpriv", $"--reuid={ServerUser}", $"--regid={ServerUser}", "--clear-groups", .. command]
        : command;
}

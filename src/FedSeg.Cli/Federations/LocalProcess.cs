using System.Diagnostics;

namespace FedSeg.Cli.Federations;

/// <summary>One of the demo's processes: a FedSeg program with its settings file, its output in a log file.</summary>
internal sealed class LocalProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(15);
    /// <summary>What is read of a process is kept in its object, which two may not refresh at once.</summary>
    private readonly Lock _gate = new();
    private readonly Process _process;
    private readonly Task _copy;

    private LocalProcess(string name, Process process, string logPath)
    {
        Name = name;
        LogPath = logPath;
        _process = process;
        _copy = CopyAsync(process, logPath);
    }

    public string Name { get; }

    public string LogPath { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>The largest resident memory the process has had, bytes; 0 where the system does not tell.</summary>
    public long PeakMemoryBytes { get; private set; }

    /// <param name="name">What it is called here.</param>
    /// <param name="assemblyPath">The program.</param>
    /// <param name="settingsPath">Its settings file.</param>
    /// <param name="logPath">Where its output goes, behind what is there.</param>
    /// <param name="environment">Variables beside this process' own.</param>
    public static LocalProcess Start(string name, string assemblyPath, string settingsPath, string logPath, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [assemblyPath, "--settings", settingsPath])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(settingsPath)!,
        };
        foreach (var (variable, value) in environment) start.Environment[variable] = value;
        return new LocalProcess(name, Process.Start(start)!, logPath);
    }

    /// <summary>The last lines of the log, to say why a process ended.</summary>
    public string LastWords()
    {
        using var stream = new FileStream(LogPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return string.Join(" ", new StreamReader(stream).ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));
    }

    /// <summary>Processor time the process has used, as last measured.</summary>
    public TimeSpan ProcessorTime { get; private set; }

    /// <summary>Notes memory peak and processor time; called while the process lives.</summary>
    public void Measure()
    {
        lock (_gate)
        {
            if (_process.HasExited) return;
            _process.Refresh();
            ProcessorTime = _process.TotalProcessorTime;
            PeakMemoryBytes = Math.Max(PeakMemoryBytes, _process.PeakWorkingSet64);
        }
    }

    /// <summary>What it holds now; nothing when it has ended.</summary>
    public ProcessSample Sample()
    {
        lock (_gate)
        {
            if (_process.HasExited) return default;
            _process.Refresh();
            return new ProcessSample(_process.WorkingSet64 / 1e6, _process.HandleCount, _process.Threads.Count);
        }
    }

    /// <summary>Ends the process at once, as a power cut would (SIGKILL on Linux).</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _copy;
    }

    public int Id => _process.Id;

    /// <summary>Asks the process to stop and waits; kills it when it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        Measure();
        if (!_process.HasExited)
        {
            if (OperatingSystem.IsWindows()) _process.Kill(entireProcessTree: true);
            else Process.Start("kill", ["-TERM", _process.Id.ToString()])?.Dispose();
            try
            {
                await _process.WaitForExitAsync().WaitAsync(StopPatience, TimeProvider.System);
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        await _copy;
        _process.Dispose();
    }

    private static async Task CopyAsync(Process process, string logPath)
    {
        await using var log = TextWriter.Synchronized(new StreamWriter(new FileStream(logPath, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true });
        await Task.WhenAll(PumpAsync(process.StandardOutput, log), PumpAsync(process.StandardError, log));
    }

    private static async Task PumpAsync(StreamReader from, TextWriter to)
    {
        while (await from.ReadLineAsync() is { } line) await to.WriteLineAsync(line);
    }
}

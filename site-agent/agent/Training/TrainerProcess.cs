using System.Diagnostics;
using System.Text.Json;
using FedSeg.Federation;
using FedSeg.Federation.Training;

namespace FedSeg.SiteAgent.Training;

/// <summary>
/// A running trainer: commands in as JSON lines, events out. It is the only process that reads patients' files; what it says is read here as typed numbers and codes,
/// and its free text goes to a file of the site's operator, never to a log or the wire.
/// </summary>
internal sealed class TrainerProcess : IAsyncDisposable
{
    /// <summary>EAGAIN, ENOMEM, ENFILE, EMFILE: no process, memory or handle left. Another time there may be.</summary>
    private static readonly int[] NothingLeft = [11, 12, 23, 24];

    private readonly Process _process;
    private readonly BoundedLines _events;
    private readonly TextWriter _notes;
    private readonly Task _errors;
    private readonly TimeSpan _silence;
    private readonly TimeProvider _time;
    private bool _killed;

    private TrainerProcess(Process process, TextWriter notes, TimeSpan silence, TimeProvider time)
    {
        _process = process;
        _events = new BoundedLines(process.StandardOutput);
        _notes = notes;
        _silence = silence;
        _time = time;
        _errors = CopyErrorsAsync();
    }

    /// <summary>Whether the process is gone or was told to go: it takes no further command.</summary>
    public bool HasExited => _killed || _process.HasExited;

    /// <summary>Starts a trainer.</summary>
    /// <param name="program">The trainer's assembly, and its arguments.</param>
    /// <param name="isolation">How it is cut off from the network.</param>
    /// <param name="notesPath">Where its standard error and the details of its failures go: for the site's operator only.</param>
    /// <param name="silence">After how long without an event it counts as hung.</param>
    /// <param name="time">The clock of that watchdog.</param>
    public static TrainerProcess Start(IReadOnlyList<string> program, TrainerIsolation isolation, string notesPath, TimeSpan silence, TimeProvider time)
    {
        string[] command = [.. isolation.Prefix, Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", .. program];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The child gets no more of the agent's environment than it needs to start.
        foreach (var name in start.Environment.Keys.Where(name => name is not ("PATH" or "HOME" or "TMPDIR" or "DOTNET_ROOT" or "LD_LIBRARY_PATH" or "SystemRoot")).ToList())
        {
            start.Environment.Remove(name);
        }

        // Two writers: what the process says on standard error, and why its commands failed.
        // Without a buffer: what a full disk refused must not come up again at the end.
        var file = new FileStream(notesPath, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var notes = TextWriter.Synchronized(new StreamWriter(file) { AutoFlush = true });
        try
        {
            return new TrainerProcess(Process.Start(start)!, notes, silence, time);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            notes.Dispose();
            if (NothingLeft.Contains(error.NativeErrorCode)) throw new IOException("The trainer could not be started: " + error.Message, error);
            throw;
        }
    }

    /// <summary>Sends a command and waits for its last event.</summary>
    /// <param name="command">What to do.</param>
    /// <param name="onStep">Called for every optimiser step and other sign of life.</param>
    /// <param name="cancellationToken">Kills the process: a trainer can't be asked to stop in the middle of a step.</param>
    /// <returns>Ready, Finished or Failed; Failed with <see cref="TrainerFailure.Crashed"/> when the process ended or hung.</returns>
    public async Task<TrainerEvent> DoAsync(TrainerCommand command, Action<TrainerEvent.Stepped> onStep, CancellationToken cancellationToken)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command, FederationJson.Options).AsMemory(), cancellationToken);
            await _process.StandardInput.FlushAsync(cancellationToken);
            while (await _events.ReadAsync(cancellationToken).WaitAsync(_silence, _time, cancellationToken) is { } line)
            {
                switch (JsonSerializer.Deserialize<TrainerEvent>(line, FederationJson.Options))
                {
                    case TrainerEvent.Stepped step:
                        onStep(step);
                        break;
                    case TrainerEvent.Failed failed:
                        await NoteAsync($"{failed.Code}: {failed.Detail}");
                        return failed;
                    case { } last:
                        return last;
                }
            }

            await _process.WaitForExitAsync(cancellationToken).WaitAsync(_silence, _time, cancellationToken);
            return await CrashedAsync($"ended with exit code {_process.ExitCode}");
        }
        catch (InvalidDataException error)
        {
            return await CrashedAsync(error.Message);
        }
        catch (IOException)
        {
            return await CrashedAsync("closed its pipe");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            // NotSupportedException is what the serializer says to a document without the event's kind.
            return await CrashedAsync("wrote something that is not an event");
        }
        catch (TimeoutException)
        {
            return await CrashedAsync($"said nothing for {_silence.TotalMinutes:F0} minutes");
        }
        catch (OperationCanceledException)
        {
            Kill();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _errors;
        await _notes.DisposeAsync();
        _process.Dispose();
    }

    private async Task<TrainerEvent.Failed> CrashedAsync(string how)
    {
        // 128 + SIGKILL is how Linux ends a process that took the machine's memory; the agent's own kill looks the same.
        const int killedBySystem = 137;
        var code = !_killed && _process.HasExited && _process.ExitCode == killedBySystem ? TrainerFailure.OutOfMemory : TrainerFailure.Crashed;
        Kill();
        await NoteAsync("The trainer " + how);
        return new TrainerEvent.Failed(code, "The trainer " + how);
    }

    private void Kill()
    {
        if (_process.HasExited) return;
        _killed = true;
        _process.Kill(entireProcessTree: true);
    }

    private async Task CopyErrorsAsync()
    {
        // Unread, the pipe would fill and hold the trainer up.
        while (await _process.StandardError.ReadLineAsync() is { } line) await NoteAsync(line);
    }

    private async Task NoteAsync(string line)
    {
        try
        {
            await _notes.WriteLineAsync(line);
        }
        catch (IOException)
        {
            // A full disk costs the line, and neither the trainer nor its answer.
        }
    }
}

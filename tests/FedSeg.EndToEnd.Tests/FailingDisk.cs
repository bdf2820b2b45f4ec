using System.ComponentModel;
using System.Diagnostics;

namespace FedSeg.EndToEnd.Tests;

/// <summary>Has every fsync of a running process fail with EIO, by strace's fault injection; its writes go on as if nothing were.</summary>
internal sealed class FailingDisk : IDisposable
{
    private readonly Process _strace;

    private FailingDisk(Process strace) => _strace = strace;

    /// <summary>Attaches to a process; what is returned has to be kept as long as the disk is to fail.</summary>
    /// <returns><see langword="null"/> where there is no strace, or it may not attach.</returns>
    public static async Task<FailingDisk?> UnderAsync(int process, CancellationToken cancellationToken)
    {
        const string calls = "fsync,fdatasync";
        string[] arguments = ["-f", "-o", "/dev/null", "-e", "trace=" + calls, "-e", $"inject={calls}:error=EIO", "-p", $"{process}"];
        Process strace;
        try
        {
            strace = Process.Start(new ProcessStartInfo("strace", arguments) { RedirectStandardError = true })!;
        }
        catch (Win32Exception)
        {
            return null;
        }

        // It says that it attached, to one thread or to so many, or why not.
        var answer = await strace.StandardError.ReadLineAsync(cancellationToken) ?? "";
        if (!answer.Contains(" attached", StringComparison.Ordinal))
        {
            strace.Dispose();
            return null;
        }

        // It says more when threads come and go, and would wait for a reader.
        _ = strace.StandardError.ReadToEndAsync(CancellationToken.None);
        return new FailingDisk(strace);
    }

    /// <summary>The disk is whole again.</summary>
    public void Dispose()
    {
        if (!_strace.HasExited) _strace.Kill();
        _strace.WaitForExit();
        _strace.Dispose();
    }
}

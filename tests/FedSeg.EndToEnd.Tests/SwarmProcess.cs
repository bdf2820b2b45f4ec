using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FedSeg.Hosting.Programs;

namespace FedSeg.EndToEnd.Tests;

/// <summary>
/// FedSeg.HostileSwarm as a process that gets only the processor time nobody else wants, as if it ran on other machines: what its own handshakes cost is no work of the
/// coordinator's.
/// </summary>
internal sealed class SwarmProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _listening;

    public SwarmProcess(string authorityDirectory, int port, int clients)
    {
        var start = new ProcessStartInfo(
            "chrt",
            ["--idle", "0", "dotnet", ProgramFiles.Find("FedSeg.HostileSwarm"), authorityDirectory, $"https://127.0.0.1:{port}", clients.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _listening = ListenAsync();
    }

    /// <summary>How often clients of each kind came, as far as is known.</summary>
    public IReadOnlyDictionary<string, int> Visits { get; private set; } = new Dictionary<string, int>();

    /// <summary>Calls the clients back.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        await _listening;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private async Task ListenAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line) Visits = JsonSerializer.Deserialize<Dictionary<string, int>>(line)!;
    }
}

using System.Diagnostics;
using System.Text.Json;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Benchmarks;

/// <summary><c>deploy/gpu-check.sh</c> as a hospital runs it, on whatever this machine has.</summary>
public sealed class GpuCheckTests
{
    [Fact]
    public async Task GpuCheck_OnThisMachine_MeasuresStepsAgainstThePeak()
    {
        var start = new ProcessStartInfo("bash", [RepositoryFile.Find("deploy", "gpu-check.sh"), "--device", "cpu", "--preset", "cpu", "--steps", "1", "--json"])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, output);
        var measured = JsonDocument.Parse(output[output.IndexOf('{')..]).RootElement;
        Assert.Equal("cpu", measured.GetProperty("device").GetString());
        Assert.InRange(measured.GetProperty("stepsPerSecond").GetDouble(), 1e-6, 1e3);
        Assert.InRange(measured.GetProperty("shareOfPeak").GetDouble(), 1e-6, 1.5);
        Assert.InRange(measured.GetProperty("dataWaitShare").GetDouble(), 0, 1);
        Assert.InRange(measured.GetProperty("peakMemoryBytes").GetInt64(), 100_000_000, 6_000_000_000);
    }
}

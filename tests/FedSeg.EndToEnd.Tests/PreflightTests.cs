using System.Diagnostics;
using FedSeg.Hosting.Programs;

namespace FedSeg.EndToEnd.Tests;

/// <summary><c>fedseg-agent preflight</c> as an operator runs it: agent and trainer as processes, no coordinator.</summary>
public sealed class PreflightTests(PhantomCohorts cohorts)
{
    [Fact]
    public async Task Preflight_PhantomHospital_FindsEveryStudyUsableAndNamesNoneOnTheScreen()
    {
        await using var federation = new TestFederation(cohorts, "north");
        var settings = Path.Combine(federation.Demo.SiteDirectory("north"), "agent.json");
        var start = new ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.SiteAgent"), "preflight", "--settings", settings]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, process.ExitCode);
        Assert.Equal(
            ["usable  12", "refused 0"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("usable", StringComparison.Ordinal) || line.StartsWith("refused", StringComparison.Ordinal)));
        Assert.DoesNotContain(Path.GetFileName(Directory.GetDirectories(cohorts.Sites["north"])[0]), output, StringComparison.Ordinal);
    }
}

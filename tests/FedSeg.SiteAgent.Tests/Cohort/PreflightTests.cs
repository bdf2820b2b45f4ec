using FedSeg.Hosting.Programs;
using FedSeg.SiteAgent.Cohort;
using FedSeg.SiteAgent.Coordinator.Pace;
using FedSeg.SiteAgent.Training;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Cohort;

/// <summary>The fake trainer finds two tilted studies, one with missing slices, and none to use; a folder called "unreadable" it can't read.</summary>
public sealed class PreflightTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-preflight-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task PrintAsync_NothingUsable_TellsCountsByReasonAndSaysNo()
    {
        var (code, printed) = await PrintAsync("cohort");

        Assert.Equal(1, code);
        Assert.Equal(
            ["usable  0", "refused 3", "  GantryTilt 2", "  MissingSlices 1",
                $"which and why: {Path.Combine(_folder.FullName, "reports", "preflight.json")}", "transfers: up 500 kB/s, down no cap"],
            printed.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task PrintAsync_CohortThatCannotBeRead_IsAFault()
    {
        var (code, printed) = await PrintAsync("unreadable");

        Assert.Equal(3, code);
        Assert.Contains("TooFewCases", printed);
    }

    private async Task<(int Code, string Printed)> PrintAsync(string cohort)
    {
        var options = Options.Create(new AgentOptions
        {
            DataDirectory = _folder.FullName,
            Pace = new PaceOptions { UpBytesPerSecond = 500_000 },
            Cohort = new CohortOptions { Directory = Path.Combine(_folder.FullName, cohort), Labels = { ["kidney"] = [] } },
            Trainer = new TrainerOptions { Path = ProgramFiles.Find("FedSeg.FakeTrainer") },
        });
        await using var trainer = new TrainerHost(options, TimeProvider.System, NullLogger<TrainerHost>.Instance);
        var output = new StringWriter();
        return (await new Preflight(trainer, new SitePace(options, TimeProvider.System, NullLogger<SitePace>.Instance),
            NullLogger<Preflight>.Instance).PrintAsync(output, TestContext.Current.CancellationToken), output.ToString());
    }
}

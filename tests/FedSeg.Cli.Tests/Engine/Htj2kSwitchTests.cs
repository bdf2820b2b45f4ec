using System.Text.Json;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Engine;
using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Engine;

/// <summary><c>--allow-htj2k</c> where headers are surveyed and a network is planned, before a command decodes a pixel itself.</summary>
public sealed class Htj2kSwitchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public Htj2kSwitchTests() => Htj2kHospital.Write(_folder["data", "north"], cases: 3);

    private static DicomLimits Allowed => new() { AllowHtj2k = true };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fingerprint_Htj2k_IsCountedOnlyWhereItIsAllowed()
    {
        string[] command = ["fingerprint", "--data", _folder["data"], "--out", _folder["told"], "--least-cases", "2", "--json"];

        var refused = await FedsegProcess.RunAsync(command);
        var allowed = await FedsegProcess.RunAsync([.. command, "--allow-htj2k"]);

        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("--allow-htj2k", refused.ErrorLine, StringComparison.Ordinal);
        Assert.True(allowed.ExitCode == 0, allowed.Errors);
        using var document = JsonDocument.Parse(allowed.Output);
        Assert.Equal(3, Assert.Single(document.RootElement.GetProperty("sites").EnumerateArray()).GetProperty("cases").GetInt32());
    }

    [Fact]
    public void Read_PlannedJob_IsPlannedFromHtj2kOnlyWhereItIsAllowed()
    {
        var data = DemoData.Survey(_folder["data"], Allowed, Token);
        var job = new FileInfo(_folder.Write("job.yaml", """
            name: planned
            sites: [north]
            rounds: 1
            labels: [kidney]
            model: { architecture: planned, preset: cpu, leastCases: 2 }
            data: { modality: MR }
            training: { stepsPerRound: 1 }
            minimumCases: 1
            """));

        Assert.Null(LocalJob.Read(job, data, Allowed).Planning);
        var refusal = Assert.Throws<BadInputException>(() => LocalJob.Read(job, data, new DicomLimits()));
        Assert.Contains("too few to plan from", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The job file is looked for after the survey.</summary>
    [Theory]
    [InlineData("train", "--out", "model")]
    [InlineData("experiment", "--out", "table.md")]
    public async Task Command_Htj2k_HasCasesOnlyWhereItIsAllowed(string command, string option, string output)
    {
        string[] arguments = [command, "--data", _folder["data"], "--job", _folder["missing.yaml"], option, _folder[output]];

        var refused = await FedsegProcess.RunAsync(arguments);
        var allowed = await FedsegProcess.RunAsync([.. arguments, "--allow-htj2k"]);

        Assert.Contains("--allow-htj2k", refused.ErrorLine, StringComparison.Ordinal);
        Assert.Contains("There is no job file", allowed.ErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StudyPatients_Htj2k_AreListedOnlyWhereItIsAllowed()
    {
        var refused = await FedsegProcess.RunAsync("study", "patients", _folder["data", "north"]);
        var allowed = await FedsegProcess.RunAsync("study", "patients", _folder["data", "north"], "--allow-htj2k");

        Assert.Empty(refused.Output);
        Assert.Equal(3, allowed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}

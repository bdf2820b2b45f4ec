using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FedSeg.Cli.Federations;
using FedSeg.Hosting.Programs;
using FedSeg.Imaging.Phantoms;
using FedSeg.Protocol.V1;

namespace FedSeg.EndToEnd.Tests;

/// <summary>A federation of real processes in a folder of its own, over phantom hospitals whose segment labels are mapped by each site's settings.</summary>
internal sealed partial class TestFederation : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4), Poll = TimeSpan.FromMilliseconds(50);
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("fedseg-e2e-");

    public TestFederation(PhantomCohorts cohorts, params string[] sites)
    {
        Sites = sites.Length > 0 ? sites : [.. cohorts.Sites.Keys];
        Demo = LocalFederation.Provision(_work.FullName, Sites.ToDictionary(site => site, site => cohorts.Sites[site]), [PhantomHospitals.Kidney, PhantomHospitals.Tumour]);
        foreach (var site in Sites)
        {
            Demo.Configure(site, agent => agent["Cohort"]!["Labels"] = PhantomCohorts.Labels());
        }
    }

    public IReadOnlyList<string> Sites { get; }

    public LocalFederation Demo { get; }

    public string Work => _work.FullName;

    public Runs.RunsClient Runs => Demo.Connection.Runs;

    /// <summary>A job small enough for seconds.</summary>
    public string Job(int rounds = 2, int steps = 2, int baseFeatures = 4, int levels = 2, double learningRate = 0.003) => $"""
        name: small
        sites: [{string.Join(", ", Sites)}]
        rounds: {rounds}
        labels: [kidney, tumour]
        model:
          architecture: unet3d
          baseFeatures: {baseFeatures}
          levels: {levels}
        data:
          modality: MR
          spacingMm: [1.5, 1.5, 1.5]
          patchVoxels: [32, 32, 32]
        training:
          stepsPerRound: {steps}
          batchSize: 1
          learningRate: {learningRate.ToString(System.Globalization.CultureInfo.InvariantCulture)}
        aggregation:
          quorum: {Sites.Count}
        minimumCases: 1

        """;

    public async Task StartAllAsync(CancellationToken cancellationToken)
    {
        await Demo.StartCoordinatorAsync(cancellationToken);
        foreach (var site in Sites) Demo.StartAgent(site);
    }

    public async Task<string> SubmitAsync(string yaml, CancellationToken cancellationToken)
    {
        var verdict = await Runs.SubmitAsync(new JobFile { Yaml = yaml }, cancellationToken: cancellationToken);
        Assert.Empty(verdict.Problems);
        return verdict.RunId;
    }

    /// <summary>Waits until a run is as described, or fails with how it was instead.</summary>
    public async Task<Run> WaitAsync(string runId, Func<Run, bool> condition, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Demo.CheckAlive();
            var run = await Runs.ShowAsync(new RunKey { RunId = runId }, cancellationToken: cancellationToken);
            if (condition(run)) return run;
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"The run did not get there in {Patience.TotalMinutes} minutes: {run}");
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }
    }

    public Task<Run> WaitForEndAsync(string runId, CancellationToken cancellationToken) => WaitAsync(runId, run => run.Status != "running", cancellationToken);

    /// <summary>Types <c>FedSeg.SiteAgent review …</c> at a site, and a password.</summary>
    public async Task<(int Code, string Output)> ReviewAsync(string site, string password, CancellationToken cancellationToken, params string[] arguments)
    {
        var settings = Path.Combine(Demo.SiteDirectory(site), "agent.json");
        var start = new ProcessStartInfo("dotnet", [ProgramFiles.Find("FedSeg.SiteAgent"), "review", .. arguments, "--settings", settings])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(password);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    public string Log(string process)
    {
        using var stream = new FileStream(Path.Combine(Demo.LogDirectory, process + ".log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new StreamReader(stream).ReadToEnd();
    }

    /// <summary>Fails on any error that a program logged.</summary>
    public void AssertNoErrorsLogged()
    {
        foreach (var log in Directory.GetFiles(Demo.LogDirectory))
        {
            Assert.DoesNotMatch(ErrorLine(), Log(Path.GetFileNameWithoutExtension(log)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Demo.DisposeAsync();
        _work.Delete(recursive: true);
    }

    [GeneratedRegex(@"^\S+ (fail|crit): .*|Unhandled exception.*", RegexOptions.Multiline)]
    private static partial Regex ErrorLine();
}

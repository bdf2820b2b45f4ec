using System.Text.Json.Nodes;
using FedSeg.Cli.Federations;
using FedSeg.Cli.Jobs;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;
using FedSeg.Protocol.V1;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// A real federation of processes in which only the training is left out (<see cref="ExchangeTrainer"/>): certificates, journal, gate, ledger and every flush to the disk
/// are as in a hospital.
/// </summary>
/// <param name="megabytes">Size of the model file, 10^6 bytes.</param>
/// <param name="sites">Agents.</param>
/// <param name="rounds">Counted rounds.</param>
/// <param name="encoding">How updates are written.</param>
/// <param name="time">The clock.</param>
internal sealed class RoundBenchmark(double megabytes, int sites, int rounds, UpdateEncoding encoding, TimeProvider time)
{
    private const string Label = "exchange";
    private const int WarmUpRounds = 1;

    /// <summary>Runs it.</summary>
    /// <param name="asked">The federation's folder, kept; a temporary one, removed, when not given.</param>
    /// <exception cref="BadInputException">There is no such model, or the folder is in use.</exception>
    /// <exception cref="IOException">The federation failed.</exception>
    public async Task<RoundBenchmarkResult> RunAsync(DirectoryInfo? asked, CancellationToken cancellationToken)
    {
        var model = ExchangeModel.Nearest(megabytes);
        var work = asked ?? Directory.CreateTempSubdirectory("fedseg-bench-");
        if (work.Exists && work.EnumerateFileSystemInfos().Any()) throw new BadInputException($"--work {work.FullName} is not empty; name a new folder.");
        try
        {
            work.Create();
            return await MeasureAsync(work.FullName, model, cancellationToken);
        }
        finally
        {
            if (asked is null) work.Delete(recursive: true);
        }
    }

    private async Task<RoundBenchmarkResult> MeasureAsync(string work, ArchitectureSpec model, CancellationToken cancellationToken)
    {
        // The agents ask for a cohort with a case; nobody reads it.
        var cohort = Directory.CreateDirectory(Path.Combine(work, "cohort", "case")).Parent!.FullName;
        var names = Enumerable.Range(1, sites).Select(number => $"site{number:000}").ToList();
        await using var federation = LocalFederation.Provision(work, names.ToDictionary(name => name, _ => cohort), [Label]);
        foreach (var name in names)
        {
            federation.Configure(name, agent =>
            {
                agent["Trainer"]!["Path"] = typeof(RoundBenchmark).Assembly.Location;
                agent["Trainer"]!["Arguments"] = new JsonArray("bench", "trainer");
            });
        }

        await federation.StartCoordinatorAsync(cancellationToken);
        foreach (var name in names) federation.StartAgent(name);
        var run = await federation.RunAsync(Job(names, model), time, cancellationToken);
        var ceiling = await BareStream.MeasureAsync(federation.Connection, run.Model, sites, time, cancellationToken);
        var times = names.SelectMany(name => ExchangeTime.Read(Path.Combine(federation.SiteDirectory(name), "data", "reports", "cohort.json"))).ToLookup(entry => entry.Round);
        var updateBytes = SafetensorsWriter.FileLength(EncodedManifest.Of(ArchitectureCatalog.Manifest(model), encoding));
        return RoundBenchmarkResult.Of(run, updateBytes, WarmUpRounds, times, ceiling, federation.Processes);
    }

    /// <summary>A patch of 64 suits every network that may be built; nothing is trained on it.</summary>
    private string Job(IEnumerable<string> names, ArchitectureSpec model) => $$"""
        name: exchange
        sites: [{{string.Join(", ", names)}}]
        rounds: {{rounds + WarmUpRounds}}
        labels: [{{Label}}]
        model: {{ExchangeModel.Yaml(model)}}
        data: { modality: MR, spacingMm: [1, 1, 1], patchVoxels: [64, 64, 64] }
        training: { stepsPerRound: 1, updateEncoding: {{encoding}} }
        aggregation: { quorum: {{sites}} }

        """;
}

using System.Text.Json.Nodes;
using FedSeg.Cli.Federations;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// A real federation of processes in which only the training is left out (<see cref="ExchangeTrainer"/>): certificates, journal, gate,
/// ledger and every flush to the disk are as in a hospital.
/// </summary>
internal static class ExchangeFederation
{
    private const string Label = "exchange";

    /// <summary>Does something in the folder of a federation to come.</summary>
    /// <param name="asked">The folder, kept; a temporary one, removed, when not given.</param>
    /// <param name="measure">Gets its path.</param>
    /// <exception cref="BadInputException">The folder is in use.</exception>
    public static async Task<T> InFolderAsync<T>(DirectoryInfo? asked, Func<string, Task<T>> measure)
    {
        var work = asked ?? Directory.CreateTempSubdirectory("fedseg-bench-");
        if (work.Exists && work.EnumerateFileSystemInfos().Any())
        {
            throw new BadInputException($"--work {work.FullName} is not empty; name a new folder.");
        }

        try
        {
            work.Create();
            return await measure(work.FullName);
        }
        finally
        {
            if (asked is null) work.Delete(recursive: true);
        }
    }

    /// <summary>Names for so many sites.</summary>
    public static IReadOnlyList<string> Names(int sites) => [.. Enumerable.Range(1, sites).Select(number => $"site{number:000}")];

    /// <summary>Coordinator and agents, all started.</summary>
    public static async Task<LocalFederation> StartAsync(string work, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        // The agents ask for a cohort with a case; nobody reads it.
        var cohort = Directory.CreateDirectory(Path.Combine(work, "cohort", "case")).Parent!.FullName;
        var federation = LocalFederation.Provision(work, names.ToDictionary(name => name, _ => cohort), [Label]);
        foreach (var name in names)
        {
            federation.Configure(name, agent =>
            {
                agent["Trainer"]!["Path"] = typeof(ExchangeFederation).Assembly.Location;
                agent["Trainer"]!["Arguments"] = new JsonArray("bench", "trainer");
            });
        }

        try
        {
            await federation.StartCoordinatorAsync(cancellationToken);
        }
        catch
        {
            await federation.DisposeAsync();
            throw;
        }

        foreach (var name in names) federation.StartAgent(name);
        return federation;
    }

    /// <summary>A patch of 64 suits every network that may be built; nothing is trained on it.</summary>
    public static string Job(IReadOnlyCollection<string> names, ArchitectureSpec model, int rounds, UpdateEncoding encoding) => $$"""
        name: exchange
        sites: [{{string.Join(", ", names)}}]
        rounds: {{rounds}}
        labels: [{{Label}}]
        model: {{ExchangeModel.Yaml(model)}}
        data: { modality: MR, spacingMm: [1, 1, 1], patchVoxels: [64, 64, 64] }
        training: { stepsPerRound: 1, updateEncoding: {{encoding}} }
        aggregation: { quorum: {{names.Count}} }

        """;
}

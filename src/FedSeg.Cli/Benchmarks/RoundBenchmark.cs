using FedSeg.Cli.Programs;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Benchmarks;

/// <summary>What a round costs in an <see cref="ExchangeFederation"/>.</summary>
/// <param name="megabytes">Size of the model file, 10^6 bytes.</param>
/// <param name="sites">Agents.</param>
/// <param name="rounds">Counted rounds.</param>
/// <param name="encoding">How updates are written.</param>
/// <param name="time">The clock.</param>
internal sealed class RoundBenchmark(double megabytes, int sites, int rounds, UpdateEncoding encoding, TimeProvider time)
{
    private const int WarmUpRounds = 1;

    /// <summary>Runs it.</summary>
    /// <param name="work">The federation's folder, kept; a temporary one, removed, when not given.</param>
    /// <param name="cancellationToken">Cuts it off.</param>
    /// <exception cref="BadInputException">There is no such model, or the folder is in use.</exception>
    /// <exception cref="IOException">The federation failed.</exception>
    public Task<RoundBenchmarkResult> RunAsync(DirectoryInfo? work, CancellationToken cancellationToken)
    {
        var model = ExchangeModel.Nearest(megabytes);
        return ExchangeFederation.InFolderAsync(work, folder => MeasureAsync(folder, model, cancellationToken));
    }

    private async Task<RoundBenchmarkResult> MeasureAsync(string work, ArchitectureSpec model, CancellationToken cancellationToken)
    {
        var names = ExchangeFederation.Names(sites);
        await using var federation = await ExchangeFederation.StartAsync(work, names, cancellationToken);
        var job = ExchangeFederation.Job(names, model, rounds + WarmUpRounds, encoding);
        var run = await federation.RunAsync(job, time, cancellationToken);
        var ceiling = await BareStream.MeasureAsync(federation.ProfilePath, run.Model, sites, time, cancellationToken);
        var times = names.SelectMany(name => ExchangeTime.Read(Path.Combine(federation.SiteDirectory(name), "data", "reports", "cohort.json"))).ToLookup(entry => entry.Round);
        var updateBytes = SafetensorsWriter.FileLength(EncodedManifest.Of(ArchitectureCatalog.Manifest(model), encoding));
        return RoundBenchmarkResult.Of(run, updateBytes, WarmUpRounds, times, ceiling, federation.Processes);
    }
}

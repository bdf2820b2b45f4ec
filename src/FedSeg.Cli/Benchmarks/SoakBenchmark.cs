using FedSeg.Cli.Federations;
using FedSeg.Cli.Programs;
using FedSeg.Federation.Weights;

namespace FedSeg.Cli.Benchmarks;

/// <summary>Runs of rounds, one after the other for as long as asked, and what coordinator and agents hold meanwhile.</summary>
/// <param name="megabytes">Size of the model file, 10^6 bytes; every round leaves one behind.</param>
/// <param name="sites">Agents.</param>
/// <param name="duration">How long to go on; the run then under way is the last.</param>
/// <param name="time">The clock.</param>
internal sealed class SoakBenchmark(double megabytes, int sites, TimeSpan duration, TimeProvider time)
{
    private const int RoundsOfARun = 10, Samples = 240;
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(250), LongestInterval = TimeSpan.FromSeconds(30);

    private int _rounds;

    private TimeSpan Interval => TimeSpan.FromTicks(Math.Clamp(duration.Ticks / Samples, ShortestInterval.Ticks, LongestInterval.Ticks));

    /// <summary>Runs it.</summary>
    /// <param name="work">The federation's folder, kept; a temporary one, removed, when not given.</param>
    /// <param name="table">Gets a row at once for each sample, so that it can be watched, and outlives a soak that is cut off.</param>
    /// <param name="cancellationToken">Cuts the soak off.</param>
    /// <exception cref="BadInputException">There is no such model, or the folder is in use.</exception>
    /// <exception cref="IOException">The federation failed.</exception>
    public Task<SoakBenchmarkResult> RunAsync(DirectoryInfo? work, TextWriter table, CancellationToken cancellationToken)
    {
        var names = ExchangeFederation.Names(sites);
        var job = ExchangeFederation.Job(names, ExchangeModel.Nearest(megabytes), RoundsOfARun, UpdateEncoding.F32);
        return ExchangeFederation.InFolderAsync(work, async folder =>
        {
            await using var federation = await ExchangeFederation.StartAsync(folder, names, cancellationToken);
            return new SoakBenchmarkResult(await SoakAsync(federation, job, table, cancellationToken));
        });
    }

    private async Task<List<SoakSample>> SoakAsync(
        LocalFederation federation, string job, TextWriter table, CancellationToken cancellationToken)
    {
        var samples = new List<SoakSample>();
        var started = time.GetTimestamp();
        await table.WriteLineAsync(SoakSample.Header);
        var rounds = GoRoundAsync(federation, job, started, cancellationToken);
        while (!rounds.IsCompleted || samples.Count < SoakTrend.FewestSamples)
        {
            await Task.Delay(Interval, time, cancellationToken);
            samples.Add(Sample(federation, time.GetElapsedTime(started)));
            await table.WriteLineAsync(samples[^1].ToCsv());
            await table.FlushAsync(cancellationToken);
        }

        await rounds;
        return samples;
    }

    private async Task GoRoundAsync(LocalFederation federation, string job, long started, CancellationToken cancellationToken)
    {
        while (time.GetElapsedTime(started) < duration)
        {
            var run = await federation.RunAsync(job, time, cancellationToken);
            _rounds += run.Rounds.Count;
        }
    }

    private SoakSample Sample(LocalFederation federation, TimeSpan elapsed)
    {
        var processes = federation.Processes.Select(process => process.Sample()).ToList();
        var agents = processes[1..];
        var most = new ProcessSample(
            agents.Max(agent => agent.Megabytes), agents.Max(agent => agent.Handles), agents.Max(agent => agent.Threads));
        return new SoakSample(elapsed.TotalSeconds, _rounds, processes[0], most);
    }
}

using FedSeg.Cli.Federations;
using FedSeg.Protocol.V1;

namespace FedSeg.Cli.Benchmarks;

/// <summary>What an exchange cost. Sizes are 10^6 bytes.</summary>
internal sealed record RoundBenchmarkResult
{
    public required double ModelMegabytes { get; init; }

    /// <summary>Size of an update in its encoding.</summary>
    public required double UpdateMegabytes { get; init; }

    public required int Sites { get; init; }

    public required int Rounds { get; init; }

    /// <summary>From one round's opening to the next one's: download, update, gate, upload, aggregation, journal.</summary>
    public required Spread SecondsPerRound { get; init; }

    /// <summary>Largest resident memory of the coordinator.</summary>
    public required double CoordinatorPeakMb { get; init; }

    /// <summary>Largest resident memory of any agent.</summary>
    public required double AgentPeakMb { get; init; }

    /// <summary>Processor time of coordinator and agents together by all rounds, their start and the first round's compiling included.</summary>
    public required double ProcessorSecondsPerRound { get; init; }

    /// <summary>Median over rounds of all sites' bytes by the time from the first trainer's delivery to the last acknowledgement: sealing, ledger, wire and checks.</summary>
    public required double UploadMbPerSecond { get; init; }

    /// <summary>Median over rounds of all sites' bytes by the time from the round's opening to the last site's proven, flushed copy.</summary>
    public required double DownloadMbPerSecond { get; init; }

    /// <summary>The same wire with nothing done to the bytes, see <see cref="BareStream"/>.</summary>
    public required double BareStreamMbPerSecond { get; init; }

    /// <summary>What the bare stream would take for a round's models and updates, as a share of what the median round took.</summary>
    public double ShareOfBareStream => Math.Round((ModelMegabytes + UpdateMegabytes) * Sites / BareStreamMbPerSecond / SecondsPerRound.Median, 3);

    /// <param name="run">The completed run.</param>
    /// <param name="updateBytes">Length of an update's file.</param>
    /// <param name="warmUp">Rounds not counted.</param>
    /// <param name="times">The sites' times by round.</param>
    /// <param name="bareStream">The ceiling, bytes per second.</param>
    /// <param name="processes">Coordinator first, then agents.</param>
    public static RoundBenchmarkResult Of(Run run, long updateBytes, int warmUp, ILookup<int, ExchangeTime> times, double bareStream, IReadOnlyList<LocalProcess> processes)
    {
        var counted = run.Rounds.Skip(warmUp).SkipLast(1).ToList();
        var bytes = (double)run.Model.Bytes * run.Sites.Count;
        return new RoundBenchmarkResult
        {
            ModelMegabytes = Megabytes(run.Model.Bytes),
            UpdateMegabytes = Megabytes(updateBytes),
            Sites = run.Sites.Count,
            Rounds = counted.Count,
            SecondsPerRound = Spread.Of(run.Rounds.Skip(warmUp).Zip(run.Rounds.Skip(warmUp + 1), (round, next) => Seconds(round.OpenedAt.ToDateTimeOffset(), next.OpenedAt.ToDateTimeOffset()))),
            CoordinatorPeakMb = Megabytes(processes[0].PeakMemoryBytes),
            AgentPeakMb = Megabytes(processes.Skip(1).Max(process => process.PeakMemoryBytes)),
            ProcessorSecondsPerRound = Math.Round(processes.Sum(process => process.ProcessorTime.TotalSeconds) / run.Rounds.Count, 2),
            DownloadMbPerSecond = Megabytes(Spread.Of(counted.Select(round =>
                bytes / Seconds(round.OpenedAt.ToDateTimeOffset(), times[round.Number].Max(time => time.ModelReceived)))).Median),
            UploadMbPerSecond = Megabytes(Spread.Of(counted.Select(round =>
                (double)updateBytes * run.Sites.Count / Seconds(times[round.Number].Min(time => time.UpdateDelivered), round.Sites.Max(site => site.AcceptedAt.ToDateTimeOffset())))).Median),
            BareStreamMbPerSecond = Megabytes(bareStream),
        };
    }

    public void Print()
    {
        Console.WriteLine($"{ModelMegabytes:F1} MB, updates {UpdateMegabytes:F1} MB, {Sites} sites, {Rounds} rounds");
        Console.WriteLine($"seconds per round   median {SecondsPerRound.Median:F2}, {SecondsPerRound.Min:F2} to {SecondsPerRound.Max:F2}");
        Console.WriteLine($"peak memory         coordinator {CoordinatorPeakMb:F0} MB, largest agent {AgentPeakMb:F0} MB");
        Console.WriteLine($"processor           {ProcessorSecondsPerRound:F2} s a round, start included");
        Console.WriteLine($"MB/s, all sites     download {DownloadMbPerSecond:F0}, upload {UploadMbPerSecond:F0}, bare stream {BareStreamMbPerSecond:F0}; a round is as quick as {ShareOfBareStream:P0} of it");
    }

    private static double Megabytes(double bytes) => Math.Round(bytes / 1e6, 2);

    private static double Seconds(DateTimeOffset from, DateTimeOffset to) => (to - from).TotalSeconds;
}

/// <summary>Median, smallest and largest of some figures.</summary>
internal sealed record Spread(double Median, double Min, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return new Spread(sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}

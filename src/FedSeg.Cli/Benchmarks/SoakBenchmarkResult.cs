namespace FedSeg.Cli.Benchmarks;

/// <summary>What a soak came to.</summary>
internal sealed record SoakBenchmarkResult
{
    public SoakBenchmarkResult(IReadOnlyList<SoakSample> samples)
    {
        (Seconds, Rounds, Samples, Trends) = (Math.Round(samples[^1].Seconds, 1), samples[^1].Rounds, samples.Count, SoakTrend.Of(samples));
    }

    public double Seconds { get; }

    public int Rounds { get; }

    public int Samples { get; }

    public IReadOnlyList<SoakTrend> Trends { get; }

    /// <summary>Whether anything grows that should not.</summary>
    public bool Grows => Trends.Any(trend => trend.Grows);

    public void Print()
    {
        Console.WriteLine($"{Rounds} rounds in {Seconds:F0} s, {Samples} samples");
        foreach (var trend in Trends)
        {
            var verdict = trend.Grows ? "GROWS" : "";
            Console.WriteLine($"{trend.What,-20}{trend.Before,8:F1} -> {trend.After,-8:F1} allowed +{trend.Allowed:F1}   {verdict}");
        }
    }
}

using FedSeg.Cli.Federations;

namespace FedSeg.Cli.Benchmarks;

/// <summary>
/// How a figure moved over a soak: the median of its last quarter beside that of its second one. The first quarter is compiling and filling
/// of pools and counts for nothing.
/// </summary>
/// <param name="What">The figure.</param>
/// <param name="Before">Its median over the second quarter.</param>
/// <param name="After">Its median over the last quarter.</param>
/// <param name="Allowed">Growth that collections and pools may cause without a leak.</param>
internal sealed record SoakTrend(string What, double Before, double After, double Allowed)
{
    /// <summary>Fewest samples that quarters can be made of.</summary>
    public const int FewestSamples = 8;

    /// <summary>.NET's thread pool tries more and fewer threads for as long as it lives.</summary>
    private const double Threads = 16;

    private const double Megabytes = 10, Share = 0.05, Handles = 10;

    public bool Grows => After - Before > Allowed;

    /// <summary>Of every figure of a soak.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer samples than <see cref="FewestSamples"/>.</exception>
    public static IReadOnlyList<SoakTrend> Of(IReadOnlyList<SoakSample> samples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.Count, FewestSamples, nameof(samples));
        return [.. Of("coordinator", sample => sample.Coordinator), .. Of("agent", sample => sample.Agent)];

        IEnumerable<SoakTrend> Of(string process, Func<SoakSample, ProcessSample> part)
        {
            var memory = Trend($"{process}Mb", sample => part(sample).Megabytes, Megabytes);
            yield return memory with { Allowed = Math.Max(Megabytes, Share * memory.Before) };
            yield return Trend($"{process}Handles", sample => part(sample).Handles, Handles);
            yield return Trend($"{process}Threads", sample => part(sample).Threads, Threads);
        }

        SoakTrend Trend(string what, Func<SoakSample, double> figure, double allowed)
        {
            var quarter = samples.Count / 4;
            var (second, last) = (samples.Skip(quarter).Take(quarter).Select(figure), samples.TakeLast(quarter).Select(figure));
            return new SoakTrend(what, Spread.Of(second).Median, Spread.Of(last).Median, allowed);
        }
    }
}

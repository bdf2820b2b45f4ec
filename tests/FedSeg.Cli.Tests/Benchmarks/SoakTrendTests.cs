using FedSeg.Cli.Benchmarks;
using FedSeg.Cli.Federations;

namespace FedSeg.Cli.Tests.Benchmarks;

public sealed class SoakTrendTests
{
    [Fact]
    public void Of_FiguresThatGoUpAndDown_GrowNothing() =>
        Assert.DoesNotContain(SoakTrend.Of(Samples(i => Held(120 + i % 7, 300 + i % 5, 30 + i % 3))), trend => trend.Grows);

    [Fact]
    public void Of_WarmUp_CountsForNothing() =>
        Assert.DoesNotContain(SoakTrend.Of(Samples(i => Held(Math.Min(200, 50 + 8 * i), Math.Min(300, 20 * i), 30))), trend => trend.Grows);

    [Theory]
    [InlineData("coordinatorMb", 0.5, 0, 0)]
    [InlineData("coordinatorHandles", 0, 1, 0)]
    [InlineData("coordinatorThreads", 0, 0, 1)]
    public void Of_OneFigureThatCreeps_IsNamedAloneWithItsMedians(string what, double megabytes, int handles, int threads)
    {
        var trends = SoakTrend.Of(Samples(i => Held(120 + megabytes * i, 300 + handles * i, 30 + threads * i)));

        var growing = Assert.Single(trends, trend => trend.Grows);
        Assert.Equal(what, growing.What);
        // The medians of samples 20 to 39 and 60 to 79.
        Assert.Equal(40 * (megabytes + handles + threads), growing.After - growing.Before, 9);
    }

    [Fact]
    public void Of_AnAgentThatCreeps_IsNamed()
    {
        var samples = Enumerable.Range(0, 80).Select(i => new SoakSample(i, i, Held(100, 100, 10), Held(100, 100 + i, 10))).ToList();

        Assert.Equal("agentHandles", Assert.Single(SoakTrend.Of(samples), trend => trend.Grows).What);
    }

    [Fact]
    public void Of_TooFewSamples_IsNoTrend() => Assert.Throws<ArgumentOutOfRangeException>(() => SoakTrend.Of(Samples(_ => Held(1, 1, 1))[..7]));

    private static List<SoakSample> Samples(Func<int, ProcessSample> coordinator) =>
        [.. Enumerable.Range(0, 80).Select(i => new SoakSample(i, i, coordinator(i), Held(100, 100, 10)))];

    private static ProcessSample Held(double megabytes, int handles, int threads) => new(megabytes, handles, threads);
}

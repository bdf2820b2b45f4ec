using FedSeg.Cli.Benchmarks;

namespace FedSeg.Cli.Tests.Benchmarks;

public sealed class MaskBenchmarkTests
{
    [Fact]
    public void Run_OfASmallModel_MeasuresBothEndsOfTheProtocol()
    {
        var result = MaskBenchmark.Run(70_000, sites: 5, TestContext.Current.CancellationToken);

        Assert.Equal(210_000, result.UploadBytes);
        Assert.Equal(1, result.Dropped);
        Assert.True(result is { MaskSeconds: >= 0, UnmaskSeconds: > 0, UnmaskSecondsAfterDrops: > 0, KeySeconds: > 0 }, result.ToString());
        // Keys, four sealed shares, a signature, five shares: about a kilobyte and a half.
        Assert.InRange(result.ExchangeBytes, 1_000, 2_000);
    }
}

namespace FedSeg.EndToEnd.Tests;

public sealed class RoundBenchmarkTests
{
    [Fact]
    public async Task BenchRound_SmallModel_MeasuresRealProcesses()
    {
        var result = await FedsegCommand.RunAsync(
            TestContext.Current.CancellationToken, "bench", "round", "--megabytes", "1", "--sites", "2", "--rounds", "2", "--json");

        Assert.True(result.ExitCode == 0, result.Error);
        var root = result.Json;
        Assert.Equal(2, root.GetProperty("rounds").GetInt32());
        var seconds = root.GetProperty("secondsPerRound");
        Assert.InRange(seconds.GetProperty("median").GetDouble(), seconds.GetProperty("min").GetDouble(), seconds.GetProperty("max").GetDouble());
        string[] figures = ["coordinatorPeakMb", "agentPeakMb", "uploadMbPerSecond", "downloadMbPerSecond", "bareStreamMbPerSecond", "shareOfBareStream"];
        Assert.All(figures, figure => Assert.True(root.GetProperty(figure).GetDouble() > 0, figure));
    }

    /// <summary>Invariant I5: what the coordinator holds depends on chunks, not on how many sites send how much. All updates at once would be 256 MB more.</summary>
    [Fact]
    public async Task BenchRound_FourSitesOf64Megabytes_CostTheCoordinatorChunksOfMemory()
    {
        var result = await FedsegCommand.RunAsync(
            TestContext.Current.CancellationToken, "bench", "round", "--megabytes", "64", "--sites", "4", "--rounds", "2", "--json");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.InRange(result.Json.GetProperty("coordinatorPeakMb").GetDouble(), 50, 250);
    }
}

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
}

using FedSeg.Testing;

namespace FedSeg.EndToEnd.Tests;

public sealed class SoakBenchmarkTests
{
    /// <summary>Too short for a verdict that means anything; that a creeping figure is found, SoakTrendTests show.</summary>
    [Fact]
    public async Task BenchSoak_AFewSeconds_WritesWhatRealProcessesHold()
    {
        using var folder = new TemporaryFolder();

        string[] arguments = ["bench", "soak", "--minutes", "0.03", "--sites", "1", "--table", folder["soak.csv"], "--json"];

        var result = await FedsegCommand.RunAsync(TestContext.Current.CancellationToken, arguments);

        Assert.True(result.ExitCode == (result.Json.GetProperty("grows").GetBoolean() ? 1 : 0), result.Error);
        var rows = File.ReadLines(folder["soak.csv"]).Skip(1).Select(row => row.Split(',').Select(double.Parse).ToArray()).ToList();
        Assert.Equal(result.Json.GetProperty("samples").GetInt32(), rows.Count);
        // Seconds go up; every figure of both processes is there.
        Assert.Equal(rows.Select(row => row[0]).Order(), rows.Select(row => row[0]));
        Assert.All(rows, row => Assert.All(row[2..], figure => Assert.True(figure > 0, string.Join(',', row))));
    }
}

using System.Text.Json;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Jobs;

public sealed class JobSpecReaderTests
{
    private const string Complete = """
        name: kidneys
        sites: [north, east, south]
        rounds: 5
        labels: [kidney, tumour]
        model:
          architecture: unet3d
          levels: 3
        data:
          modality: MR
          spacingMm: [1.5, 1, 1]
          patchVoxels: [32, 48, 48]
        training:
          stepsPerRound: 20
          optimizer: sgd
        """;

    [Fact]
    public void Read_CompleteJob_FillsDefaultsAndSortsSites()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete)).Job;

        Assert.Equal(["east", "north", "south"], job.Sites.Select(site => site.ToString()));
        Assert.Equal(3, job.Architecture.Classes);
        Assert.Equal(OptimizerKind.Sgd, job.Recipe.Optimizer);
        Assert.Equal(2, job.Recipe.BatchSize);
        Assert.Equal(2, job.Quorum);
        Assert.Equal([1.5, 1, 1], job.Preprocessing.SpacingMm);
    }

    [Fact]
    public void Read_UnknownKey_IsAProblemWithItsLine()
    {
        var problem = Assert.Single(Problems(Complete + "\nlearningRat: 3"));

        Assert.Equal(15, problem.Line);
        Assert.Contains("learningRat: unknown key", problem.Message);
    }

    [Fact]
    public void Read_ManyMistakes_AreAllReportedAtOnce()
    {
        var problems = Problems(Complete
            .Replace("rounds: 5", "rounds: 0")
            .Replace("unet3d", "resnet")
            .Replace("MR", "PT")
            .Replace("[32, 48, 48]", "[30, 48]")
            .Replace("stepsPerRound: 20", "stepsPerRound: many"));

        Assert.Equal([3, 6, 9, 11, 11, 13], problems.Select(problem => problem.Line));
        Assert.Contains("'resnet' is not on the allow-list; use one of: unet3d", problems[1].Message);
    }

    [Theory]
    [InlineData("- a\n- b", "one YAML mapping")]
    [InlineData("name: [", "not valid YAML")]
    [InlineData("", "one YAML mapping")]
    public void Read_NoMapping_IsOneProblem(string yaml, string reason) => Assert.Contains(reason, Assert.Single(Problems(yaml)).Message);

    [Fact]
    public void Read_SiteTwice_IsRefused() => Assert.Contains("named twice", Assert.Single(Problems(Complete.Replace("[north, east, south]", "[north, north]"))).Message);

    [Fact]
    public void Read_HugeFile_IsRefusedUnparsed() => Assert.Contains("more than", Assert.Single(Problems(new string('#', 2 << 20))).Message);

    [Fact]
    public void Schema_Keys_AreThoseTheReaderKnows()
    {
        // Every key at once is accepted, so the reader knows what the schema allows; anything else is refused by Read_UnknownKey.
        // Strategies and their options: AggregationReaderTests.
        using var schema = JsonDocument.Parse(JobSpecReader.Schema);
        var yaml = Complete
            .Replace("  levels: 3", "  levels: 3\n  baseFeatures: 4")
            .Replace("patchVoxels: [32, 48, 48]", "patchVoxels: [32, 48, 48]\n  heldBackFraction: 0.3")
            .Replace("optimizer: sgd", "optimizer: adamW\n  batchSize: 1\n  learningRate: 0.1\n  weightDecay: 0")
            + "\naggregation:\n  quorum: 1\n  roundDeadlineMinutes: 5\nminimumCases: 2\nseed: 9";
        var written = yaml.Split('\n').Select(line => line.Split(':')[0].Trim()).Where(key => key.Length > 0);

        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(yaml));
        var options = StrategyCatalog.All.SelectMany(strategy => strategy.Options).Select(option => option.Name).Append("strategy").Append("root").ToHashSet();
        Assert.Equal(KeysOf(schema.RootElement).Where(key => !options.Contains(key)).Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> KeysOf(JsonElement schema) =>
        schema.TryGetProperty("properties", out var properties)
            ? properties.EnumerateObject().SelectMany(property => KeysOf(property.Value).Prepend(property.Name))
            : [];

    private static IReadOnlyList<Yaml.YamlProblem> Problems(string yaml) => Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(yaml)).Problems;
}

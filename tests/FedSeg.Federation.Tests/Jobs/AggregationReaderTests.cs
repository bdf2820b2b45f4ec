using System.Globalization;
using System.Text.Json;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Jobs;

namespace FedSeg.Federation.Tests.Jobs;

public sealed class AggregationReaderTests
{
    [Fact]
    public void Read_NoStrategy_BoundsNormsAndTrimsFromSevenSitesOn()
    {
        var six = Valid(Job(6, ""));
        var seven = Valid(Job(7, ""));

        Assert.IsType<WeightedMean>(six.Aggregation.Rule);
        Assert.Equal(new TrimmedMean(0.2, null), seven.Aggregation.Rule);
        Assert.All([six, seven], job => Assert.Equal(new NormBound { Factor = 1.5 }, job.Aggregation.Bound));
    }

    [Fact]
    public void Read_EveryStrategy_IsAcceptedWithAllItsOptionsAndSurvivesTheJournal()
    {
        foreach (var strategy in StrategyCatalog.All)
        {
            var options = strategy.Options.Select(option => $"  {option.Name}: {(option.Whole ? "1" : (option.Default ?? 3).ToString(CultureInfo.InvariantCulture))}");
            var root = strategy.NeedsRoot ? "\n  root: s3" : "";

            var job = Valid(Job(7, $"  strategy: {strategy.Name}{root}\n{string.Join('\n', options)}"));

            var written = JsonSerializer.Serialize(job, FederationJson.Options);
            Assert.Equal(job.Aggregation, JsonSerializer.Deserialize<JobSpec>(written, FederationJson.Options)!.Aggregation);
        }
    }

    [Fact]
    public void Read_MaximumWeight_CountsWithEveryStrategy()
    {
        Assert.Equal(StrategyCatalog.DefaultWeightLimit, Valid(Job(3, "")).Aggregation.WeightLimit);
        Assert.Null(Valid(Job(3, "  strategy: fedadam")).Aggregation.WeightLimit);
        Assert.Equal(5, Valid(Job(3, "  strategy: fedadam\n  maximumWeight: 5")).Aggregation.WeightLimit);
        Assert.Equal(20, Valid(Job(3, "  maximumWeight: 20")).Aggregation.WeightLimit);
        Assert.Contains("not a number from 1", Problem(Job(3, "  maximumWeight: 0.5")));
        Assert.Contains("blind: maximumCases", Problem(Job(5, "  mode: blind\n  maximumWeight: 5")));
    }

    [Fact]
    public void Read_OptionOfAnotherStrategy_IsUnknown() =>
        Assert.Contains("aggregation.beta1: unknown key", Problem(Job(3, "  strategy: fedavg\n  beta1: 0.9")));

    [Fact]
    public void Read_UnknownStrategy_NamesTheKnownOnes() =>
        Assert.Contains("'average' is not one of: fedavg, fedavgm", Problem(Job(3, "  strategy: average")));

    [Theory]
    [InlineData("  strategy: krum\n  byzantine: 1", 4, "krum with byzantine 1 needs 5 updates a round; the job has 4 sites")]
    [InlineData("  strategy: krum\n  byzantine: 1\n  quorum: 4", 6, "4 is too few")]
    [InlineData("  strategy: bulyan\n  byzantine: 1", 6, "needs 7 updates")]
    [InlineData("  strategy: trimmedmean\n  byzantine: 2", 4, "needs 5 updates")]
    [InlineData("  strategy: trimmedmean\n  trim: 0.5", 4, "'0.5' is not a number from 0 to 0.4999")]
    [InlineData("  strategy: multikrum\n  keep: 7", 5, "needs 7 updates")]
    [InlineData("  strategy: fltrust", 3, "aggregation.root: missing")]
    [InlineData("  strategy: fltrust\n  root: elsewhere", 3, "'elsewhere' is not one of the job's sites")]
    [InlineData("  strategy: fedadam\n  tau: 0", 3, "aggregation.tau: '0' is not a number from")]
    public void Read_ImpossibleParameter_IsRefusedWithItsReason(string aggregation, int sites, string reason) =>
        Assert.Contains(Problems(Job(sites, aggregation)), problem => problem.Contains(reason, StringComparison.Ordinal));

    [Fact]
    public void Read_StrategyThatCanSpareNoSite_AsksForAll() => Assert.Equal(5, Valid(Job(5, "  strategy: krum\n  byzantine: 1")).Quorum);

    [Fact]
    public void Schema_Aggregation_HasTheCatalogsStrategiesOptionsAndRanges()
    {
        using var schema = JsonDocument.Parse(JobSpecReader.Schema);
        var properties = schema.RootElement.GetProperty("properties").GetProperty("aggregation").GetProperty("properties");

        Assert.Equal(StrategyCatalog.All.Select(strategy => strategy.Name), properties.GetProperty("strategy").GetProperty("enum").EnumerateArray().Select(name => name.GetString()));
        foreach (var option in StrategyCatalog.All.SelectMany(strategy => strategy.Options))
        {
            var described = properties.GetProperty(option.Name);
            Assert.Equal((option.Minimum, option.Maximum), (described.GetProperty("minimum").GetDouble(), described.GetProperty("maximum").GetDouble()));
            if (described.TryGetProperty("default", out var standard)) Assert.Equal(option.Default, standard.GetDouble());
        }
    }

    private static string Job(int sites, string aggregation) => $"""
        name: kidneys
        sites: [{string.Join(", ", Enumerable.Range(0, sites).Select(i => $"s{i}"))}]
        rounds: 5
        labels: [kidney]
        model: {OpenBrace} architecture: unet3d {CloseBrace}
        data: {OpenBrace} modality: MR, spacingMm: [1, 1, 1], patchVoxels: [32, 32, 32] {CloseBrace}
        training: {OpenBrace} stepsPerRound: 20 {CloseBrace}
        aggregation:
          roundDeadlineMinutes: 60
        {aggregation}
        """;

    private const string OpenBrace = "{", CloseBrace = "}";

    private static JobSpec Valid(string yaml) => Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(yaml)).Job;

    private static IEnumerable<string> Problems(string yaml) =>
        Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(yaml)).Problems.Select(problem => problem.ToString());

    private static string Problem(string yaml) => Assert.Single(Problems(yaml));
}

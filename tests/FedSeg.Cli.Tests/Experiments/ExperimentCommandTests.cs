using System.Text.Json;
using FedSeg.Federation.Jobs;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Experiments;

/// <summary>Too short to learn anything: which rows there are, over whom, and that SCAFFOLD and FedProx go their own ways.</summary>
public sealed class ExperimentCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Experiment_TwoPhantomSites_HasARowForEachWayOfTraining()
    {
        await FedsegProcess.RunAsync("phantom", "--out", _folder["data"], "--sites", "2", "--cases", "4");
        var ended = await FedsegProcess.RunAsync(
            "experiment", "--data", _folder["data"], "--job", Job(), "--arms", "pooled2,local,fedavg,last5,keep,scaffold,ditto,top1", "--rounds", "2",
                "--steps", "1", "--out", _folder["results.md"], "--json");

        Assert.True(ended.ExitCode == 0, ended.Errors);
        using var document = JsonDocument.Parse(ended.Output);
        var rows = document.RootElement.GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(10, rows.Count); // two models pooled, two sites alone and both together, six federations
        Assert.Contains("pooled2: model 2 of 2", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("last5: round", ended.Errors, StringComparison.Ordinal); // the very models of fedavg
        Assert.Contains("fedavg: scoring round 2", ended.Errors, StringComparison.Ordinal); // none is good enough
        Assert.DoesNotContain("keep: scoring", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(rows, row => row.TryGetProperty("enough", out _));
        Assert.All(rows, row => Assert.Equal(["kidney", "tumour"], row.GetProperty("labels").EnumerateArray().Select(label => label.GetProperty("label").GetString())));
        Assert.All(rows, row => Assert.InRange(row.GetProperty("meanDice").GetDouble(), 0, 1));
        var dice = rows.ToDictionary(row => row.GetProperty("title").GetString()!, row => row.GetProperty("meanDice").GetDouble());
        Assert.NotEqual(dice["FedAvg"], dice["SCAFFOLD"]);
        // Of trainings alone nothing leaves.
        var bytes = rows.Where(row => row.TryGetProperty("updateBytes", out _))
            .ToDictionary(row => row.GetProperty("title").GetString()!, row => row.GetProperty("updateBytes").GetInt64());
        Assert.Equal(6, bytes.Count);
        Assert.InRange(bytes["FedAvg, the largest hundredth of the changes, error feedback"], 1, bytes["FedAvg"] - 1);
        var table = await File.ReadAllLinesAsync(_folder["results.md"], TestContext.Current.CancellationToken);
        Assert.Equal(10 + 2, table.Count(line => line.StartsWith('|')));
    }

    [Fact]
    public async Task Experiment_StoppedAfterARow_TakesItAsItIsAndRefusesOtherSettings()
    {
        await FedsegProcess.RunAsync("phantom", "--out", _folder["data"], "--sites", "2", "--cases", "4");
        Task<FedsegProcess> Run(string arms, string steps) => FedsegProcess.RunAsync(
            "experiment", "--data", _folder["data"], "--job", Job(), "--arms", arms, "--rounds", "1", "--steps", steps, "--out", _folder["results.md"]);

        var first = await Run("pooled", "1");
        var second = await Run("pooled,fedavg", "1");
        var other = await Run("pooled", "2");

        Assert.True(first.ExitCode == 0 && second.ExitCode == 0, first.Errors + second.Errors);
        Assert.Contains("pooled: all cases in one place", first.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("pooled: all cases in one place", second.Errors, StringComparison.Ordinal);
        Assert.Equal(2 + 2, (await File.ReadAllLinesAsync(_folder["results.md"], TestContext.Current.CancellationToken)).Count(line => line.StartsWith('|')));
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("rows of an experiment with other data, options or build", other.ErrorLine);
    }

    /// <summary>The phantoms' models never get so far: the row is one that was kept, as if they had.</summary>
    [Fact]
    public async Task Experiment_ModelThatWasGoodEnough_SaysAfterHowManyRoundsAndMinutes()
    {
        await FedsegProcess.RunAsync("phantom", "--out", _folder["data"], "--sites", "2", "--cases", "4");
        string[] command =
        [
            "experiment", "--data", _folder["data"], "--job", Job(), "--arms", "fedavg", "--rounds", "1", "--steps", "1",
            "--out", _folder["results.md"], "--json",
        ];
        await FedsegProcess.RunAsync(command);
        var kept = await File.ReadAllTextAsync(_folder["results.md.rows.json"], TestContext.Current.CancellationToken);
        Assert.Contains("\"Enough\": null", kept, StringComparison.Ordinal);
        var reached = kept.Replace("\"Enough\": null", """
            "Enough": { "Rounds": 12, "Trained": "00:34:30" }
            """, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_folder["results.md.rows.json"], reached, TestContext.Current.CancellationToken);

        var ended = await FedsegProcess.RunAsync(command);

        Assert.True(ended.ExitCode == 0, ended.Errors);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(
            """{"meanDice":0.85,"rounds":12,"seconds":2070}""",
            JsonSerializer.Serialize(document.RootElement.GetProperty("rows")[0].GetProperty("enough")));
        Assert.Contains(
            "FedAvg first had a mean Dice of 0.85 after 12 rounds and 34.5 minutes of training",
            await File.ReadAllTextAsync(_folder["results.md"], TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Experiment_UnknownArm_NamesTheKnownOnes()
    {
        var ended = await FedsegProcess.RunAsync("experiment", "--data", _folder[""], "--arms", "fedsgd");
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("'fedsgd' is not one of pooled, pooled2, local, fedavg", ended.ErrorLine);
    }

    /// <summary>What <c>deploy/results.sh</c> trains.</summary>
    [Theory]
    [InlineData("hippocampus.yaml")]
    [InlineData("hippocampus-long.yaml")]
    [InlineData("phantom-ct.yaml")]
    public void Read_JobOfThePublishedResults_IsAJob(string file)
    {
        var read = JobSpecReader.Read(File.ReadAllText(RepositoryFile.Find("deploy", "experiments", file)));
        Assert.IsType<JobSpecResult.Valid>(read);
    }

    private string Job()
    {
        File.WriteAllText(_folder["job.yaml"], """
            name: tiny
            sites: [east, north]
            rounds: 1
            labels: [kidney, tumour]
            model:
              architecture: unet3d
              baseFeatures: 2
              levels: 2
            data:
              modality: MR
              spacingMm: [3, 3, 3]
              patchVoxels: [16, 16, 16]
            training:
              stepsPerRound: 1
              augmentation: none
            minimumCases: 1
            """);
        return _folder["job.yaml"];
    }
}

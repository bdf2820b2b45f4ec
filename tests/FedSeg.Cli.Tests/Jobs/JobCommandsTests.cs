using FedSeg.Testing;
using System.Text.Json;

namespace FedSeg.Cli.Tests.Jobs;

public sealed class JobCommandsTests : IDisposable
{
    private const string Good = """
        name: kidneys
        sites: [north, east]
        rounds: 5
        labels: [kidney]
        model:
          architecture: unet3d
        data:
          modality: MR
          spacingMm: [1, 1, 1]
          patchVoxels: [32, 32, 32]
        training:
          stepsPerRound: 20
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Validate_MissingFile_IsBadInputInOneLine()
    {
        var ended = await FedsegProcess.RunAsync("job", "validate", _folder["absent.yaml"], "--offline");

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("absent.yaml", ended.ErrorLine);
    }

    [Fact]
    public async Task Validate_GoodJobOffline_IsDone() =>
        Assert.Equal(0, (await FedsegProcess.RunAsync("job", "validate", _folder.Write("job.yaml", Good), "--offline")).ExitCode);

    [Fact]
    public async Task Validate_BrokenJobOffline_ListsEveryProblemWithItsLine()
    {
        var broken = Good.Replace("rounds: 5", "rounds: 0").Replace("unet3d", "resnet");

        var ended = await FedsegProcess.RunAsync("job", "validate", _folder.Write("job.yaml", broken), "--offline");

        Assert.Equal(2, ended.ExitCode);
        Assert.Equal(["job.yaml:3", "job.yaml:6"], ended.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[..10]));
        Assert.Empty(ended.Output);
    }

    [Fact]
    public async Task Validate_BrokenJobAsJson_IsOneDocumentWithTheLines()
    {
        var ended = await FedsegProcess.RunAsync("job", "validate", _folder.Write("job.yaml", Good.Replace("rounds: 5", "rounds: 0")), "--offline", "--json");

        Assert.Equal(2, ended.ExitCode);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.False(document.RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal(3, Assert.Single(document.RootElement.GetProperty("problems").EnumerateArray()).GetProperty("line").GetInt32());
    }

    [Fact]
    public async Task Submit_WithoutProfile_SaysHowToNameOne()
    {
        var ended = await FedsegProcess.RunAsync("job", "submit", _folder.Write("job.yaml", Good));

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("--profile", ended.ErrorLine);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("not json")]
    [InlineData("""{"coordinator":"nowhere","certificate":"ada.pem","privateKey":"ada.key","authority":"authority.pem"}""")]
    public async Task List_ProfileThatIsNone_IsBadInputInOneLine(string profile)
    {
        var ended = await FedsegProcess.RunAsync("job", "list", "--profile", _folder.Write("profile.json", profile));

        Assert.Equal(2, ended.ExitCode);
        Assert.NotEmpty(ended.ErrorLine);
    }

    [Fact]
    public async Task Schema_IsAJsonSchema()
    {
        var ended = await FedsegProcess.RunAsync("job", "schema");

        using var document = JsonDocument.Parse(ended.Output);
        Assert.True(document.RootElement.GetProperty("properties").TryGetProperty("sites", out _));
    }
}

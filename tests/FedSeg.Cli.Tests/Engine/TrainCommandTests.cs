using System.Text.Json;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Testing;

namespace FedSeg.Cli.Tests.Engine;

/// <summary>Too short to learn anything: what is trained, and for how long.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Train_JobFile_TakesItsNetworkPreprocessingAndSteps()
    {
        await FedsegProcess.RunAsync("phantom", "--out", _folder["data"], "--sites", "2", "--cases", "4");
        _folder.Write("job.yaml", """
            name: baseline
            sites: [elsewhere]
            rounds: 2
            labels: [tumour]
            model: { architecture: unet3d, baseFeatures: 2, levels: 3 }
            data: { modality: MR, spacingMm: [4, 4, 4], patchVoxels: [8, 16, 8], crop: none, heldBackFraction: 0.25 }
            training:
              stepsPerRound: 3
              batchSize: 1
              optimizer: adamW
              learningRate: 0.001
              privacy: { epsilon: 8, delta: 0.0001, expectedBatch: 2, clippingNorm: 1, patchesPerPatient: 1 }
            aggregation: { quorum: 1 }
            minimumCases: 1
            seed: 5
            """);

        var ended = await FedsegProcess.RunAsync("train", "--data", _folder["data"], "--job", _folder["job.yaml"], "--out", _folder["model"], "--json");

        Assert.True(ended.ExitCode == 0, ended.Errors);
        Assert.Contains("privacy is left out", ended.Errors);
        using var document = JsonDocument.Parse(ended.Output);
        Assert.Equal(6, document.RootElement.GetProperty("steps").GetInt32());
        var model = ModelMetadata.ReadFile(_folder["model"]);
        Assert.Equal(["tumour"], model.Labels);
        Assert.Equal((2, 3), (model.Architecture.BaseFeatures, model.Architecture.Levels));
        Assert.Equal([8, 16, 8], model.Preprocessing.PatchVoxels);
        Assert.Equal(CropRule.None, model.Preprocessing.Crop);
    }

    [Theory]
    [InlineData("missing.yaml", "There is no job file")]
    [InlineData("broken.yaml", "broken.yaml")]
    public async Task Train_JobFileThatIsNone_IsBadInputInOneLine(string job, string problem)
    {
        await FedsegProcess.RunAsync("phantom", "--out", _folder["data"], "--sites", "1", "--cases", "2");
        _folder.Write("broken.yaml", "name: [");

        var ended = await FedsegProcess.RunAsync("train", "--data", _folder["data"], "--job", _folder[job], "--out", _folder["model"]);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(problem, ended.ErrorLine);
    }
}

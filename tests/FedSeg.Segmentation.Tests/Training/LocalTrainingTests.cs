using FedSeg.Testing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class LocalTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static LocalTrainingRequest Request(int steps = 60, double learningRate = 0.01) => new()
    {
        Architecture = Plans.Small,
        Labels = [.. SyntheticCases.Labels],
        Preprocessing = SyntheticCases.Preprocessing(),
        Recipe = Plans.Recipe(learningRate: learningRate),
        Steps = steps,
        Seed = 11,
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_BrightBalls_SegmentsHeldBackPatients()
    {
        var cohort = Cohort.Pool(Cohort.Split(SyntheticCases.Make(5), 0.2, seed: 1), Cohort.Split(SyntheticCases.Make(5, seed: 2), 0.2, seed: 1));
        var outcome = LocalTraining.Run(Request(steps: 120), cohort, _folder["model"], CPU, null, TestContext.Current.CancellationToken);
        var done = Assert.IsType<LocalTrainingOutcome.Done>(outcome);
        Assert.Equal(120, done.Steps);
        Assert.All(done.Scores, score => Assert.True(score is { Cases: 2, MeanDice: > 0.75 }, score.ToString()));
    }

    [Fact]
    public void Run_WrittenModel_ScoresTheSameWhenOpenedFromTheFileAlone()
    {
        var cohort = Cohort.Split(SyntheticCases.Make(4), 0.25, seed: 1);
        var done = (LocalTrainingOutcome.Done)LocalTraining.Run(Request(), cohort, _folder["model"], CPU, null, TestContext.Current.CancellationToken);
        using var predictor = Predictor.Open([_folder["model"]], mirror: false, CPU);
        Assert.Equal(done.Scores.AsEnumerable(), predictor.Score(cohort.HeldBack, TestContext.Current.CancellationToken));
        Assert.Equal(SyntheticCases.Labels, predictor.Model.Labels);
    }

    [Fact]
    public void Run_InitialModelGiven_IsNamedInTheMetadata()
    {
        var cohort = Cohort.Split(SyntheticCases.Make(4), 0.25, seed: 1);
        LocalTraining.Run(Request(steps: 1), cohort, _folder["first"], CPU, null, TestContext.Current.CancellationToken);
        var digest = Sha256Digest.Of(File.ReadAllBytes(_folder["first"]));
        var request = Request(steps: 1) with { InitialModelPath = _folder["first"], InitialModel = digest };
        LocalTraining.Run(request, cohort, _folder["second"], CPU, null, TestContext.Current.CancellationToken);
        using var file = SafetensorsFile.Open(_folder["second"]);
        Assert.Equal(digest, ModelMetadata.Parse(file.Metadata).Base);
    }

    /// <summary>What ends early leaves neither an untrained model in place of one nor takes the one that was there.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_EndedEarly_LeavesTheFolderAsItWas(bool isModelThere)
    {
        var cohort = Cohort.Split(SyntheticCases.Make(4), 0.25, seed: 1);
        if (isModelThere) File.WriteAllText(_folder["model"], "of yesterday");
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        Assert.ThrowsAny<OperationCanceledException>(() => LocalTraining.Run(Request(), cohort, _folder["model"], CPU, _ => source.Cancel(), source.Token));
        LocalTraining.Run(Request(steps: 40, learningRate: 1e30), cohort, _folder["model"], CPU, null, TestContext.Current.CancellationToken);

        Assert.Equal(isModelThere ? ["model"] : [], Directory.GetFiles(_folder["."]).Select(Path.GetFileName));
        if (isModelThere) Assert.Equal("of yesterday", File.ReadAllText(_folder["model"]));
    }

    [Fact]
    public void Run_NotFinite_LeavesNoModel()
    {
        var cohort = Cohort.Split(SyntheticCases.Make(4), 0.25, seed: 1);
        var outcome = LocalTraining.Run(Request(steps: 40, learningRate: 1e30), cohort, _folder["model"], CPU, null, TestContext.Current.CancellationToken);
        Assert.IsType<LocalTrainingOutcome.NotFinite>(outcome);
        Assert.False(File.Exists(_folder["model"]));
    }
}

using FedSeg.Testing;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Weights;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class RoundWorkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Cohort _cohort = Cohort.Split(SyntheticCases.Make(4), 0.25, seed: 7);

    public RoundWorkTests() => ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);

    public void Dispose() => _folder.Dispose();

    private RoundOutcome Run(RoundPlan plan) =>
        RoundWork.Run(plan, _cohort, new RoundFiles { Model = _folder["base"], Update = _folder["update"] }, CPU, null, TestContext.Current.CancellationToken);

    [Fact]
    public void Run_Train_WritesExactlyTheManifestsTensorsAndScoresTheBase()
    {
        var plan = Plans.Round();
        var done = Assert.IsType<RoundOutcome.Done>(Run(plan));

        using var update = SafetensorsFile.Open(_folder["update"]);
        Assert.Null(plan.Manifest().FirstDifference(update.Tensors));
        Assert.Contains(update.ReadAll("head.weight"), value => value != 0);
        Assert.Equal(4, done.Steps);
        Assert.NotNull(done.MeanLoss);
        Assert.Equal(SyntheticCases.Labels, done.Scores.Select(score => score.Label));
        Assert.All(done.Scores, score => Assert.Equal(1, score.Cases));
    }

    [Fact]
    public void Run_Evaluate_WritesNothing()
    {
        var done = Assert.IsType<RoundOutcome.Done>(Run(Plans.Round(round: 4, RoundTask.Evaluate)));
        Assert.False(File.Exists(_folder["update"]));
        Assert.Equal(0, done.Steps);
        Assert.Null(done.MeanLoss);
        Assert.Equal(2, done.Scores.Length);
    }

    [Fact]
    public void Run_NotFinite_WritesNothing()
    {
        Assert.IsType<RoundOutcome.NotFinite>(Run(Plans.Round(recipe: Plans.Recipe(steps: 40, learningRate: 1e30))));
        Assert.False(File.Exists(_folder["update"]));
    }

    [Fact]
    public void Run_TwoRounds_DrawDifferently()
    {
        Run(Plans.Round(round: 1));
        var first = File.ReadAllBytes(_folder["update"]);
        Run(Plans.Round(round: 2));
        Assert.NotEqual(first, File.ReadAllBytes(_folder["update"]));
    }
}

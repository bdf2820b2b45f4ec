using FedSeg.Testing;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly PreparedCase[] _cases = SyntheticCases.Make(4);

    public TrainerTests() => ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);

    public void Dispose() => _folder.Dispose();

    private (TrainingOutcome Outcome, float[] Weights, List<TrainingStep> Steps) Train(TrainingRecipe recipe, ulong seed = 7)
    {
        using var network = ModelWeights.Open(_folder["base"], Plans.Small, CPU);
        var steps = new List<TrainingStep>();
        var schedule = TrainingSchedule.Whole(recipe, SyntheticCases.Preprocessing(), [.. SyntheticCases.Labels], recipe.StepsPerRound, seed);
        var outcome = Trainer.Train(network, _cases, schedule, CPU, steps.Add, TestContext.Current.CancellationToken);
        return (outcome, [.. network.parameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())], steps);
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.Sgd)]
    public void Train_SameSeed_GivesTheSameWeightsToTheLastBit(OptimizerKind optimizer)
    {
        var first = Train(Plans.Recipe(steps: 6, optimizer: optimizer));
        var second = Train(Plans.Recipe(steps: 6, optimizer: optimizer));
        Assert.Equal(first.Weights, second.Weights);
        Assert.Equal(first.Steps, second.Steps);
    }

    [Fact]
    public void Train_AnotherSeed_GivesOtherWeights() =>
        Assert.NotEqual(Train(Plans.Recipe(), seed: 7).Weights, Train(Plans.Recipe(), seed: 8).Weights);

    [Fact]
    public void Train_BatchDice_IsAnotherLossFromTheFirstStepOn() =>
        Assert.NotEqual(Train(Plans.Recipe(steps: 1) with { BatchDice = true }).Steps[0].Loss, Train(Plans.Recipe(steps: 1)).Steps[0].Loss);

    [Fact]
    public void Train_BrightBalls_LearnsThem()
    {
        var (outcome, _, steps) = Train(Plans.Recipe(steps: 80));
        Assert.Equal(80, steps.Count);
        var trained = Assert.IsType<TrainingOutcome.Trained>(outcome);
        Assert.Equal(steps.Average(step => step.Loss), trained.MeanLoss, 1e-9);
        Assert.InRange(trained.Time.DataWaitShare, 0, 1);
        Assert.True(steps[0].Loss > 0.5 && steps.TakeLast(10).Average(step => step.Loss) < -0.1, $"from {steps[0].Loss} to {steps[^1].Loss}");
    }

    [Fact]
    public void Train_HugeLearningRate_IsNotFinite()
    {
        var (outcome, _, _) = Train(Plans.Recipe(steps: 40, learningRate: 1e30));
        Assert.IsType<TrainingOutcome.NotFinite>(outcome);
    }

    [Fact]
    public void Train_Cancelled_Throws()
    {
        using var network = ModelWeights.Open(_folder["base"], Plans.Small, CPU);
        using var source = new CancellationTokenSource();
        var schedule = TrainingSchedule.Whole(Plans.Recipe(), SyntheticCases.Preprocessing(), [.. SyntheticCases.Labels], steps: 100, seed: 1);
        Assert.ThrowsAny<OperationCanceledException>(() => Trainer.Train(network, _cases, schedule, CPU, _ => source.Cancel(), source.Token));
    }
}

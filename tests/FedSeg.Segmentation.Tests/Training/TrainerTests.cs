using FedSeg.Testing;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed partial class TrainerTests : IDisposable
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

    [Theory]
    [InlineData(0.01, 7)]
    [InlineData(1e30, 7)]
    public void Train_LossesReadInBunches_IsTheSameTraining(double learningRate, int count)
    {
        (TrainingOutcome, List<TrainingStep>, float[]) Run(int bunch)
        {
            using var network = ModelWeights.Open(_folder["base"], Plans.Small, CPU);
            var weights = NamedWeights.Trained(network, TensorRules.AverageAll);
            var recipe = Plans.Recipe(count, learningRate);
            using var optimizer = WeightOptimizer.Create(recipe, weights);
            var schedule = TrainingSchedule.Whole(recipe, SyntheticCases.Preprocessing(), [.. SyntheticCases.Labels], count, seed: 7);
            var steps = new List<TrainingStep>();
            var stretch = new Stretch(network, weights, optimizer, schedule) { Losses = new PendingLosses(bunch) };
            var outcome = Trainer.Train(stretch, _cases, CPU, steps.Add, TestContext.Current.CancellationToken);
            return (outcome is TrainingOutcome.Trained trained ? trained with { Time = new TrainingTime(default, default) } : outcome, steps, [.. weights.SelectMany(entry => entry.Values.detach().data<float>().ToArray())]);
        }

        var (single, bunched) = (Run(1), Run(3));

        Assert.Equal(single.Item1, bunched.Item1);
        if (single.Item1 is not TrainingOutcome.Trained) return;
        Assert.Equal(single.Item2, bunched.Item2);
        Assert.Equal(single.Item3, bunched.Item3);
    }

    [Fact]
    public void Train_OneStepOnASteepLoss_GoesNoFartherThanTheLargestGradientNorm()
    {
        // Behind a norm a kernel's scale changes no output, but its gradient grows as the kernel shrinks.
        using var network = ModelWeights.Open(_folder["base"], Plans.Small, CPU);
        using (no_grad())
        {
            foreach (var (_, kernel) in network.named_parameters().Where(entry => entry.name.EndsWith("conv.weight", StringComparison.Ordinal))) kernel.mul_(1e-2);
        }

        var before = Flat(network);
        const double rate = 1e-4, momentum = 0.99;
        var recipe = Plans.Recipe(steps: 1, learningRate: rate, optimizer: OptimizerKind.Sgd) with { WeightDecay = 0 };
        var schedule = TrainingSchedule.Whole(recipe, SyntheticCases.Preprocessing(), [.. SyntheticCases.Labels], 1, seed: 7);
        Trainer.Train(network, _cases, schedule, CPU, stepped: null, TestContext.Current.CancellationToken);

        // Nesterov's first step is the gradient and its momentum: (1 + 0.99) of a gradient cut to norm 12.
        var moved = Math.Sqrt(before.Zip(Flat(network), (a, b) => (double)(a - b) * (a - b)).Sum());
        Assert.Equal(12 * rate * (1 + momentum), moved, 1e-3 * 12 * rate);
    }

    private static float[] Flat(nn.Module network) => [.. network.parameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())];

    /// <summary>A number asked of the device in a step stops a GPU's queue: the loop asks for losses only, in bunches.</summary>
    [Fact]
    public void Train_Loop_AsksTheDeviceForNoNumber()
    {
        string[] files = ["Trainer.cs", "GradientClipping.cs", "WeightOptimizer.cs", "DeepSupervision.cs", "SegmentationLoss.cs", "ProximalTerm.cs", "ControlVariateTerm.cs", "PatchBatch.cs"];
        var asking = files.Where(file => Waits().IsMatch(File.ReadAllText(RepositoryFile.Find("src", "FedSeg.Segmentation", "Training", file))));
        Assert.Empty(asking);
    }

    [Fact]
    public void Clip_LongGradient_IsWhatTorchMakesOfIt()
    {
        using var scope = NewDisposeScope();
        NamedWeights Weights(params float[] gradient)
        {
            var values = new TorchSharp.Modules.Parameter(zeros([gradient.Length]));
            values.grad = tensor(gradient);
            return new NamedWeights("w", values);
        }

        foreach (var length in new[] { 3f, 300f })
        {
            NamedWeights[] ours = [Weights(length, 0), Weights(0, 0, -4 * length)], theirs = [Weights(length, 0), Weights(0, 0, -4 * length)];
            GradientClipping.Clip(ours, 12.5);
            nn.utils.clip_grad_norm_(theirs.Select(entry => entry.Values), 12.5);
            foreach (var (a, b) in ours.Zip(theirs)) Assert.Equal(b.Values.grad!.data<float>().ToArray(), a.Values.grad!.data<float>().ToArray(), (x, y) => Math.Abs(x - y) <= 1e-6 * Math.Abs(x));
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"\.item<|ToSingle|ToDouble|\.cpu\(|clip_grad_norm|\.data<|\.to\(device\)")]
    private static partial System.Text.RegularExpressions.Regex Waits();

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

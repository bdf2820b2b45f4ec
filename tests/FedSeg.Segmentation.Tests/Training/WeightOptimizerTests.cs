using FedSeg.Federation.Rounds;
using FedSeg.Segmentation.Training;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class WeightOptimizerTests
{
    [Fact]
    public void Sgd_GoldenSteps_MatchTheReference()
    {
        // shared/reference/segmentation.md 1.5: loss Σp², p₀ = (1, 2), learning rate 0.01, momentum 0.99, Nesterov, weight decay 3e-5.
        using var scope = NewDisposeScope();
        var p = new TorchSharp.Modules.Parameter(tensor([1f, 2f]));
        using var optimizer = WeightOptimizer.Create(Plans.Recipe(optimizer: OptimizerKind.Sgd, learningRate: 0.01), [new NamedWeights("p", p)]);
        float[][] expected = [[0.96019942f, 1.92039883f], [0.90238059f, 1.80476117f], [0.82823694f, 1.65647388f]];
        foreach (var values in expected)
        {
            optimizer.ZeroGradients();
            p.pow(2).sum().backward();
            optimizer.Step(0.01);
            Assert.Equal(values[0], p[0].item<float>(), 1e-6f);
            Assert.Equal(values[1], p[1].item<float>(), 1e-6f);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(25)]
    public void StepLength_OfSoManySteps_IsHowFarSteadyGradientsGo(int steps)
    {
        using var scope = NewDisposeScope();
        foreach (var kind in new[] { OptimizerKind.Sgd, OptimizerKind.AdamW })
        {
            var recipe = Plans.Recipe(optimizer: kind) with { WeightDecay = 0 };
            var p = new TorchSharp.Modules.Parameter(zeros(1));
            using var optimizer = WeightOptimizer.Create(recipe, [new NamedWeights("p", p)]);
            for (var step = 0; step < steps; step++)
            {
                optimizer.ZeroGradients();
                p.sum().neg().backward();
                optimizer.Step(0.01);
            }

            Assert.Equal(0.01 * recipe.StepLength(steps), p.item<float>(), 1e-4 * recipe.StepLength(steps));
        }
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.Sgd)]
    public void Step_ManyTimesAtAChangingRate_GivesTorchSharpsNumbers(OptimizerKind kind)
    {
        using var scope = NewDisposeScope();
        var recipe = Plans.Recipe(optimizer: kind) with { WeightDecay = 0.02 };
        float[] start = [1f, -2f, 0.5f, 3f];
        var ours = new TorchSharp.Modules.Parameter(tensor(start));
        var theirs = new TorchSharp.Modules.Parameter(tensor(start));
        using var optimizer = WeightOptimizer.Create(recipe, [new NamedWeights("ours", ours)]);
        using optim.Optimizer reference = kind == OptimizerKind.AdamW
            ? optim.AdamW([theirs], 1, weight_decay: 0.02)
            : optim.SGD([theirs], 1, 0.99, weight_decay: 0.02, nesterov: true);
        for (var step = 1; step <= 50; step++)
        {
            var rate = 0.01 / step;
            foreach (var group in reference.ParamGroups) group.LearningRate = rate;
            optimizer.ZeroGradients();
            reference.zero_grad();
            (ours - 0.3).pow(4).sum().backward();
            (theirs - 0.3).pow(4).sum().backward();
            optimizer.Step(rate);
            reference.step();
            // Float32 rounding of another order of operations, over 50 steps.
            Assert.All(Enumerable.Range(0, start.Length), i => Assert.Equal(theirs[i].item<float>(), ours[i].item<float>(), 1e-5f));
        }
    }
}

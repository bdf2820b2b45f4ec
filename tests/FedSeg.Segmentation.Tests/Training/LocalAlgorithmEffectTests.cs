using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Aggregation.Rules;
using FedSeg.Federation.Aggregation.Steps;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

/// <summary>
/// What each local algorithm is for, in a federation of two sites that differ, against federated averaging on the algorithm's own criterion. SCAFFOLD, Ditto, fine-tuning
/// and the masked loss: <see cref="SiteTrainingTests"/>. Known answers: <see cref="ConvexProblemTests"/>.
/// </summary>
public sealed class LocalAlgorithmEffectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public LocalAlgorithmEffectTests() => WriteBase();

    private SmallFederation Federation => new(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FedProx_SitesThatDiffer_DriftLessFarApart()
    {
        double Apart(LocalAlgorithm algorithm)
        {
            WriteBase();
            var updates = Federation.Federate(SmallFederation.Halves(undrawn: false), Recipe(steps: 20) with { Algorithm = algorithm }, rounds: 1)[0];
            var (first, second) = (SmallFederation.Flat(updates[0]), SmallFederation.Flat(updates[1]));
            return Math.Sqrt(first.Zip(second, (a, b) => (double)(a - b) * (a - b)).Sum());
        }

        var (plain, drawn) = (Apart(new LocalAlgorithm.Plain()), Apart(new LocalAlgorithm.FedProx(100)));
        Assert.True(drawn < 0.8 * plain, $"plain {plain}, FedProx {drawn}");
    }

    [Fact]
    public void FedNova_SiteOfFewSteps_IsNotDrownedByTheOther()
    {
        // 2 cases and 8: with as many passes over them, 2 steps and 8, and four times the weight besides.
        Cohort Site(byte drawn, int patients) => Cohort.Split(
            Enumerable.Range(0, patients).Select(i => SmallFederation.Only(SyntheticCases.Ball(16, $"{drawn}-{i}", i), drawn, undrawn: false)), 0.1, seed: 7);
        Cohort[] sites = [Site(drawn: 1, patients: 3), Site(drawn: 2, patients: 9)];
        var recipe = Recipe(steps: 50) with { Optimizer = OptimizerKind.Sgd, LearningRate = 1e-4, EpochsPerRound = 2 };
        var updates = sites.Select((site, i) =>
        {
            var files = Federation.Files(i);
            var done = Assert.IsType<RoundOutcome.Done>(RoundWork.Run(Plans.Round(recipe: recipe), site, files, CPU, null, TestContext.Current.CancellationToken));
            return (Values: SmallFederation.Flat(SmallFederation.Update(files)), Cases: site.Training.Length, done.Steps);
        }).ToList();
        Assert.Equal([2, 8], updates.Select(update => update.Steps));

        double PullOfTheSmall(CombineRule rule)
        {
            var merged = new WeightsInMemory(updates[0].Values.Length);
            var round = new AggregationRound
            {
                Number = 1,
                Base = new WeightsInMemory(new double[updates[0].Values.Length]),
                Contributions = [.. updates.Select((update, i) => new Contribution
                {
                    Site = SiteId.Parse($"site-{i}"), Update = new WeightsInMemory([.. update.Values.Select(value => (double)value)]), Weight = update.Cases, Steps = recipe.StepLength(update.Steps),
                })],
            };
            var output = new AggregationOutput(merged, new Dictionary<StatePart, IWeightSink>());
            Aggregator.Run(new AggregationSpec { Rule = rule, Step = new PlainStep(1) }, round, output, TestContext.Current.CancellationToken);
            return SmallFederation.Cosine([.. merged.Values.ToArray().Select(value => (float)value)], updates[0].Values);
        }

        var (averaged, normalised) = (PullOfTheSmall(new WeightedMean()), PullOfTheSmall(new NormalizedMean()));
        // How far the merged change turns away from what the small site asks for.
        Assert.True(1 - normalised < 0.75 * (1 - averaged), $"FedAvg {averaged}, FedNova {normalised}");
    }

    [Fact]
    public void LocalNormalisation_ScannersOfOppositeContrast_EachGetABetterModel()
    {
        // One site's balls are bright, the other's dark: one scale of a feature can't suit both.
        Cohort[] sites =
        [
            Cohort.Split(Enumerable.Range(0, 4).Select(i => SyntheticCases.Ball(16, $"bright-{i}", i)), 0.25, seed: 7),
            Cohort.Split(Enumerable.Range(0, 4).Select(i => Negative(SyntheticCases.Ball(16, $"dark-{i}", 50 + i))), 0.25, seed: 7),
        ];
        double MeanDice(TensorRules rules)
        {
            WriteBase();
            var recipe = Recipe(steps: 25) with { Tensors = rules };
            Federation.Federate(sites, recipe, rounds: 3);
            return sites.Select((site, i) => Assert.IsType<RoundOutcome.Done>(RoundWork.Run(
                Plans.Round(4, RoundTask.Evaluate, recipe), site, Federation.Files(i), CPU, null, TestContext.Current.CancellationToken)))
                .Average(done => done.Scores.Average(score => score.MeanDice ?? 0));
        }

        var averaged = MeanDice(TensorRules.AverageAll);
        var local = MeanDice(new TensorRules { KeepLocal = [TensorGroup.Normalisation] });
        Assert.True(local > averaged + 0.02, $"FedAvg {averaged}, local norms {local}");
    }

    private static TrainingRecipe Recipe(int steps) => Plans.Recipe(steps) with { Augmentation = AugmentationKind.None };

    private static PreparedCase Negative(PreparedCase bright) => SyntheticCases.Prepare(
        bright.PatientKey, new Volume(bright.Grid, [.. bright.Prepared.Input.Voxels.Select(value => -value)]), bright.Reference);

    private void WriteBase()
    {
        ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);
        for (var site = 0; site < 2; site++)
        {
            if (Directory.Exists(_folder[$"site-{site}"])) Directory.Delete(_folder[$"site-{site}"], recursive: true);
        }
    }
}

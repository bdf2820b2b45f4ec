using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Privacy.Accounting;
using FedSeg.Privacy.Noise;
using FedSeg.Segmentation.Models;
using FedSeg.Segmentation.Networks;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

public sealed class PrivateTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static PatientPrivacy Privacy(double expectedBatch = 2, double? noise = 1, double? epsilon = null) =>
        new() { ClippingNorm = 0.5, ExpectedBatch = expectedBatch, PatchesPerPatient = 2, Delta = 1e-5, NoiseMultiplier = noise, Epsilon = epsilon };

    private static NamedWeights[] Weights(params int[] lengths) => [.. lengths.Select((length, i) => new NamedWeights($"w{i}", new Parameter(zeros(length))))];

    private static void SetGradients(NamedWeights[] weights, params float[] values)
    {
        foreach (var (entry, value) in weights.Zip(values)) entry.Values.grad = full(entry.Values.shape, value);
    }

    private static double Norm(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values) sum += value * value;
        return Math.Sqrt(sum);
    }

    [Fact]
    public void AddPatient_LongGradient_IsClippedOverAllTensorsTogether()
    {
        using var scope = NewDisposeScope();
        var weights = Weights(9, 16);
        var gradient = new PrivateGradient(weights, clippingNorm: 2.5);
        SetGradients(weights, 100, 75); // norms 300 and 300
        gradient.AddPatient();
        Assert.InRange(Norm(gradient.Sum), 2.5 * (1 - 1e-6), 2.5);
        Assert.Equal(100.0 / 75, gradient.Sum[0] / gradient.Sum[9], 1e-5); // the direction stays

        gradient.AddPatient();
        Assert.InRange(Norm(gradient.Sum), 5 * (1 - 1e-6), 5);
    }

    [Fact]
    public void AddPatient_ShortGradient_IsAddedAsItIs()
    {
        using var scope = NewDisposeScope();
        var weights = Weights(4);
        var gradient = new PrivateGradient(weights, clippingNorm: 2.5);
        SetGradients(weights, 1);
        gradient.AddPatient();
        Assert.Equal([1, 1, 1, 1], gradient.Sum.ToArray());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void AddPatient_GradientThatIsNotFinite_CountsAsNone(float value)
    {
        using var scope = NewDisposeScope();
        var weights = Weights(4);
        var gradient = new PrivateGradient(weights, clippingNorm: 2.5);
        SetGradients(weights, value);
        gradient.AddPatient();
        Assert.Equal(0, Norm(gradient.Sum));
    }

    [Fact]
    public void Release_NoPatientCame_IsNoiseOfTheStatedDeviation()
    {
        using var scope = NewDisposeScope();
        const int count = 200_000;
        var weights = Weights(count);
        new PrivateGradient(weights, clippingNorm: 0.5).Release(noiseMultiplier: 1.2, expectedBatch: 8);

        var values = weights[0].Values.grad!.data<float>().ToArray();
        var deviation = NormClipping.DeviationOfMean(1.2, 0.5, 8);
        Assert.Equal(0, values.Average(), 5 * deviation / Math.Sqrt(count));
        Assert.Equal(deviation, Math.Sqrt(values.Average(value => (double)value * value)), 5 * deviation / Math.Sqrt(2 * count));
        // Two thirds within one deviation: a Gaussian, not some other noise of that width.
        Assert.Equal(0.6827, values.Count(value => Math.Abs(value) < deviation) / (double)count, 0.006);
    }

    [Fact]
    public void Release_Patients_AreDividedByTheirExpectedNumberAndForgotten()
    {
        using var scope = NewDisposeScope();
        var weights = Weights(4);
        var gradient = new PrivateGradient(weights, clippingNorm: 1000);
        SetGradients(weights, 400);
        gradient.AddPatient();
        gradient.Release(noiseMultiplier: 1e-6, expectedBatch: 8); // 400 / 8, though one came
        Assert.All(weights[0].Values.grad!.data<float>().ToArray(), value => Assert.Equal(50, value, 0.01));
        Assert.Equal(0, Norm(gradient.Sum));
    }

    [Fact]
    public void Draw_ManySteps_EachPatientComesByItsOwnCoinWithAllItsStudies()
    {
        var grid = SyntheticCases.Ball(4, "x", 1);
        PreparedCase[] cases = [.. Enumerable.Range(0, 60).Select(i => new PreparedCase($"patient-{i / 2}", grid.Prepared, grid.Labels, grid.Reference))];
        var sampler = new PatientSampler(cases, samplingRate: 0.3);
        Assert.Equal(30, sampler.Patients);

        var draws = Enumerable.Range(0, 2000).Select(_ => sampler.Draw()).ToList();
        Assert.All(draws.SelectMany(draw => draw), patient => Assert.Equal(2, patient.Length));
        // Binomial: mean 9, variance 6.3; five deviations of their estimates.
        var mean = draws.Average(draw => draw.Count);
        Assert.Equal(9, mean, 5 * Math.Sqrt(6.3 / 2000));
        Assert.Equal(6.3, draws.Average(draw => Math.Pow(draw.Count - 9, 2)), 1.0);
        Assert.Equal(600, draws.Count(draw => draw.Any(patient => patient[0].PatientKey == "patient-7")), 5 * Math.Sqrt(2000 * 0.21));
    }

    [Theory]
    [InlineData(1, 0.7, 2, 10.1224946)] // shared/reference/privacy.md 1.2, rows 7 (everybody takes part: exact), 21, 4 and 1
    [InlineData(1, 1, 1, 4.3771780957)]
    [InlineData(1, 10, 100, 4.3771780957)]
    [InlineData(0.0025, 1.3, 6000, 0.7242234026109595)]
    [InlineData(0.04, 1.5, 2250, 7.32911117143)]
    public void Spend_StepsReallyMade_IsTheReferencesEpsilon(double rate, double noise, int steps, double epsilon) =>
        Assert.Equal(epsilon, new PrivateMechanism(rate, noise).Spend(steps, 1e-5).Epsilon, 1e-6 * epsilon);

    [Fact]
    public void Of_Epsilon_FindsTheNoiseForTheWholeRun()
    {
        var plan = Plans.Round(); // three rounds
        var mechanism = PrivateMechanism.Of(plan, Privacy(expectedBatch: 4, noise: null, epsilon: 3), patients: 100, stepsPerRound: 50);
        Assert.Equal(0.04, mechanism.SamplingRate);
        var run = new RdpAccountant().Add(new SampledGaussian(0.04, mechanism.NoiseMultiplier, 150)).Epsilon(1e-5).Epsilon;
        Assert.InRange(run, 3 * (1 - 1e-5), 3);
        Assert.True(mechanism.Spend(50, 1e-5).Epsilon < run);
    }

    /// <summary>Row 21: σ 10 over 100 steps; Rényi accounting alone would ask for more noise.</summary>
    [Fact]
    public void Of_EpsilonWhereEverybodyTakesPart_IsTheExactMechanismsNoise()
    {
        var privacy = Privacy(expectedBatch: 5, noise: null, epsilon: 4.3771780957);
        var mechanism = PrivateMechanism.Of(Plans.Round() with { TotalRounds = 4 }, privacy, patients: 3, stepsPerRound: 25);
        Assert.Equal(10, mechanism.NoiseMultiplier, 10 * 1e-6);
    }

    [Fact]
    public void Of_FewPatients_EverybodyTakesPart() => Assert.Equal(1, PrivateMechanism.Of(Plans.Round(), Privacy(expectedBatch: 5), patients: 3, stepsPerRound: 1).SamplingRate);

    [Theory]
    [InlineData(2)]
    [InlineData(0.1)] // nearly every step is empty
    public void Run_PrivateRecipe_SendsNoLossAndSaysWhatItCost(double expectedBatch)
    {
        ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);
        var cohort = Cohort.Split(SyntheticCases.Make(6), 0.25, seed: 7); // four patients to train on
        var plan = Plans.Round(recipe: Plans.Recipe() with { Privacy = Privacy(expectedBatch) });
        var files = new RoundFiles { Model = _folder["base"], Update = _folder["update"] };
        var steps = 0;
        var done = Assert.IsType<RoundOutcome.Done>(RoundWork.Run(plan, cohort, files, CPU, _ => steps++, TestContext.Current.CancellationToken));

        Assert.Equal((4, 4), (steps, done.Steps));
        Assert.Null(done.MeanLoss);
        Assert.Equal(new PrivateMechanism(expectedBatch / 4, 1).Spend(4, 1e-5), done.Privacy);
        var first = File.ReadAllBytes(_folder["update"]);
        using (var update = SafetensorsFile.Open(_folder["update"])) Assert.Contains(update.ReadAll("head.weight"), value => value != 0);

        // The same plan again: other patients, other noise.
        RoundWork.Run(plan, cohort, files, CPU, null, TestContext.Current.CancellationToken);
        Assert.NotEqual(first, File.ReadAllBytes(_folder["update"]));
    }

    [Fact]
    public void OfPatient_AnotherPatientMore_ChangesNobodysPatches()
    {
        var cases = SyntheticCases.Make(3);
        var schedule = TrainingSchedule.Whole(Plans.Recipe(), SyntheticCases.Preprocessing(8), [.. SyntheticCases.Labels], steps: 10, seed: 5);
        var (few, many) = (new PatchSampler(cases[..2], schedule), new PatchSampler(cases, schedule));
        Assert.Equal(few.OfPatient([cases[1]], 3, 4).Images, many.OfPatient([cases[1]], 3, 4).Images);
        Assert.NotEqual(few.OfPatient([cases[1]], 3, 4).Images, few.OfPatient([cases[1]], 3, 5).Images);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)] // of a site that has only two: divided by more than can come, its steps would be a quarter as long
    public void Train_PatientOfSeveralPatchesAndStudies_CountsWithTheirMeanClippedOnce(double expectedBatch)
    {
        // Everybody takes part, and the noise is far below the tolerance.
        const double rate = 1, clip = 0.05;
        using var scope = NewDisposeScope();
        PreparedCase[] cases = [SyntheticCases.Ball(16, "often", 1), SyntheticCases.Ball(16, "often", 2), SyntheticCases.Ball(16, "once", 3)];
        var schedule = TrainingSchedule.Whole(
            Plans.Recipe(learningRate: rate, optimizer: OptimizerKind.Sgd) with { WeightDecay = 0 }, SyntheticCases.Preprocessing(8), [.. SyntheticCases.Labels], steps: 1, seed: 5);
        var privacy = Privacy(expectedBatch) with { ClippingNorm = clip, PatchesPerPatient = 3 };
        ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);
        using var network = ModelWeights.Open(_folder["base"], Plans.Small, CPU);
        var weights = NamedWeights.Of(network);
        using var optimizer = WeightOptimizer.Create(schedule.Recipe, weights);
        var patches = new PatchSampler(cases, schedule);
        double[][] means = [.. new[] { cases[..2], cases[2..] }.Select(studies => MeanGradient(network, weights, patches.OfPatient(studies, 3, step: 0)))];
        var before = Values(weights);

        PrivateTrainer.Train(new Stretch(network, weights, optimizer, schedule), cases, privacy, new PrivateMechanism(1, 1e-6), CPU, null, TestContext.Current.CancellationToken);

        Assert.All(means, mean => Assert.True(Norm(mean) > 2 * clip));
        var expected = means[0].Zip(means[1], (a, b) => (a / Norm(means[0]) + b / Norm(means[1])) * clip / 2);
        // From rest, the first step of Nesterov's momentum is 1 + 0.99 gradients long.
        var found = before.Zip(Values(weights), (from, to) => (from - to) / (rate * 1.99));
        Assert.Equal(expected, found, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Run_KilledInAPrivateRound_GoesOnFromTheLastCheckpointAndEveryStepIsNoisedOnce()
    {
        // Of gradients clipped so short, the noise is all that can be seen of a step.
        var privacy = Privacy(noise: 3) with { ClippingNorm = 1e-3 };
        var plan = PrivateRound(privacy);
        KillAfter(step: 5, plan);

        var (done, steps) = Resume(plan, FourPatients());

        Assert.Equal([4, 5, 6, 7, 8], steps); // from the checkpoint after step 3
        Assert.Equal(8, done.Steps);
        Assert.Equal(new PrivateMechanism(0.5, 3).Spend(8, privacy.Delta), done.Privacy);
        var change = Update().SelectMany(tensor => tensor.Value).ToArray();
        var variance = Math.Pow(NormClipping.DeviationOfMean(3, privacy.ClippingNorm, privacy.ExpectedBatch), 2) * Lengths(steps: 8, plan).Sum(length => length * length);
        Assert.Equal(1, change.Average(value => (double)value * value) / variance, 5 * Math.Sqrt(2.0 / change.Length));
    }

    [Fact]
    public void Run_KilledAfterTheLastStep_ReleasesThatTrainingAndNoOther()
    {
        var plan = PrivateRound(Privacy());
        KillAfter(step: 8, plan);
        using var checkpoint = SafetensorsFile.Open(_folder["state", "1", "checkpoint.safetensors"]);
        using var start = SafetensorsFile.Open(_folder["base"]);
        var made = start.Tensors.ToDictionary(
            tensor => tensor.Name, tensor => checkpoint.ReadAll($"weights.{tensor.Name}").Zip(start.ReadAll(tensor.Name), (to, from) => to - from).ToArray());

        var (done, steps) = Resume(plan, FourPatients());

        Assert.Empty(steps);
        Assert.Equal(made, Update());
        Assert.Equal(new PrivateMechanism(0.5, 1).Spend(8, 1e-5), done.Privacy);
    }

    /// <summary>One patient withdrew between the two: steps before were made at another sampling rate, and with that patient.</summary>
    [Fact]
    public void Run_OtherPatientsThanAtTheCheckpoint_BeginsTheRoundAnew()
    {
        var plan = PrivateRound(Privacy());
        KillAfter(step: 5, plan);
        var three = Cohort.Split(FourPatients().Training, 0.25, seed: 7).WithoutHeldBack();

        var (done, steps) = Resume(plan, three);

        Assert.Equal(Enumerable.Range(1, 8), steps);
        Assert.Equal(new PrivateMechanism(2.0 / 3, 1).Spend(8, 1e-5), done.Privacy);
    }

    private static Cohort FourPatients() => Cohort.Split(SyntheticCases.Make(5), 0.2, seed: 7).WithoutHeldBack();

    private static RoundPlan PrivateRound(PatientPrivacy privacy) =>
        Plans.Round(recipe: Plans.Recipe(steps: 8, optimizer: OptimizerKind.Sgd) with { WeightDecay = 0, Privacy = privacy });

    private RoundFiles Files => new() { Model = _folder["base"], Update = _folder["update"], State = _folder["state"], CheckpointEverySteps = 3 };

    private void KillAfter(int step, RoundPlan plan)
    {
        ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);
        Assert.Throws<OperationCanceledException>(() => RoundWork.Run(
            plan, FourPatients(), Files, CPU, made => { if (made.Step == step) throw new OperationCanceledException(); }, TestContext.Current.CancellationToken));
        Assert.False(File.Exists(_folder["update"]));
    }

    private (RoundOutcome.Done Done, List<int> Steps) Resume(RoundPlan plan, Cohort cohort)
    {
        var steps = new List<int>();
        return (Assert.IsType<RoundOutcome.Done>(RoundWork.Run(plan, cohort, Files, CPU, step => steps.Add(step.Step), TestContext.Current.CancellationToken)), steps);
    }

    private Dictionary<string, float[]> Update()
    {
        using var file = SafetensorsFile.Open(_folder["update"]);
        return file.Tensors.ToDictionary(tensor => tensor.Name, tensor => file.ReadAll(tensor.Name));
    }

    /// <summary>How far the gradient of each step moves a weight in all, by its own step and by what momentum keeps of it.</summary>
    private static IEnumerable<double> Lengths(int steps, RoundPlan plan)
    {
        var rates = Enumerable.Range(0, steps).Select(step => PolyDecay.At(plan.Recipe.LearningRate, step, plan.TotalRounds * steps)).ToArray();
        return Enumerable.Range(0, steps).Select(step => rates[step] + rates.Skip(step).Select((rate, later) => rate * Math.Pow(0.99, later + 1)).Sum());
    }

    private static double[] MeanGradient(UNet network, IReadOnlyList<NamedWeights> weights, PatchBatch batch)
    {
        var (images, labels) = batch.ToTensors(CPU);
        double[][] gradients = [.. Enumerable.Range(0, batch.Count).Select(patch =>
        {
            foreach (var entry in weights) entry.Values.grad?.zero_();
            DeepSupervision.Loss(network.Outputs(images.narrow(0, patch, 1)), labels.narrow(0, patch, 1)).backward();
            return weights.SelectMany(entry => entry.Values.grad!.data<float>()).Select(value => (double)value).ToArray();
        })];
        return [.. gradients[0].Select((_, i) => gradients.Average(gradient => gradient[i]))];
    }

    private static double[] Values(IReadOnlyList<NamedWeights> weights) => [.. weights.SelectMany(entry => entry.Values.data<float>()).Select(value => (double)value)];
}

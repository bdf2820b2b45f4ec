using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Privacy.Accounting;
using FedSeg.Privacy.Noise;
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
    [InlineData(1, 0.7, 2, 10.8602036)] // shared/reference/privacy.md 1.2, rows 7, 4 and 1
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
}

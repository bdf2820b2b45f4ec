using FedSeg.Federation.Architectures;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Imaging.Volumes;
using FedSeg.Segmentation.Inference;
using FedSeg.Segmentation.Preprocessing;
using FedSeg.Segmentation.Training;
using FedSeg.Testing;
using static TorchSharp.torch;

namespace FedSeg.Segmentation.Tests.Training;

/// <summary>Local algorithms on a small cohort: what leaves, what stays, and what differs from plain training.</summary>
public sealed class SiteTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Cohort _cohort = Cohort.Split(SyntheticCases.Make(4), 0.25, seed: 7);

    public SiteTrainingTests() => ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);

    public void Dispose() => _folder.Dispose();

    private static TrainingRecipe Recipe(LocalAlgorithm? algorithm = null, int steps = 4) => Plans.Recipe(steps) with { Algorithm = algorithm ?? new LocalAlgorithm.Plain() };

    private static TrainingRecipe Keeping(params TensorGroup[] groups) => Recipe() with { Tensors = new TensorRules { KeepLocal = [.. groups] } };

    private RoundFiles Files(string? state = "state", string? control = null) => new()
    {
        Model = _folder["base"],
        Update = _folder["update"],
        State = state is null ? null : _folder[state],
        Control = control is null ? null : _folder[control],
        PersonalModel = _folder["personal"],
        CheckpointEverySteps = 3,
    };

    private RoundOutcome.Done Run(TrainingRecipe recipe, int round = 1, RoundFiles? files = null, RoundTask task = RoundTask.Train) => Assert.IsType<RoundOutcome.Done>(
        RoundWork.Run(Plans.Round(round, task, recipe), _cohort, files ?? Files(), CPU, null, TestContext.Current.CancellationToken));

    private Dictionary<string, float[]> Update()
    {
        using var file = SafetensorsFile.Open(_folder["update"]);
        return file.Tensors.ToDictionary(tensor => tensor.Name, tensor => file.ReadAll(tensor.Name));
    }

    private Dictionary<string, float[]> UpdateOf(TrainingRecipe recipe, int round = 1, RoundFiles? files = null)
    {
        Run(recipe, round, files);
        return Update();
    }

    private static double Norm(Dictionary<string, float[]> update) => Math.Sqrt(update.Values.SelectMany(values => values).Sum(value => (double)value * value));

    /// <summary>The next round trains as ever; what the last one held back is added before likeness to images is measured.</summary>
    [Fact]
    public void Residual_OfTheRoundBefore_IsPartOfTheChangeThatIsMeasured()
    {
        var plain = UpdateOf(Recipe());
        File.Copy(_folder["update"], _folder["residual"]);

        var done = Run(Recipe(), files: Files() with { Residual = _folder["residual"] });

        Assert.All(Update(), tensor => Assert.Equal(plain[tensor.Key].Select(value => value + value), tensor.Value));
        Assert.Equal(FedSeg.Federation.Identity.Sha256Digest.Of(File.ReadAllBytes(_folder["update"])), done.Similarity?.Update);
    }

    [Fact]
    public void FedProx_DrawsTheUpdateBack_AndWithoutStrengthIsPlain()
    {
        var plain = UpdateOf(Recipe());
        Assert.Equal(plain, UpdateOf(Recipe(new LocalAlgorithm.FedProx(0))));
        var drawn = UpdateOf(Recipe(new LocalAlgorithm.FedProx(100), steps: 12));
        Assert.True(Norm(drawn) < 0.8 * Norm(UpdateOf(Recipe(steps: 12))));
    }

    [Fact]
    public void KeepLocal_Normalisation_LeavesTheUpdateAndComesBackInTheNextRound()
    {
        var recipe = Keeping(TensorGroup.Normalisation);
        var first = UpdateOf(recipe);
        Assert.DoesNotContain(first.Keys, name => name.Contains("norm", StringComparison.Ordinal));
        Assert.Equal(Plans.Round(recipe: recipe).UpdateManifest().All.Tensors.Select(tensor => tensor.Name), first.Keys);

        var withOwn = UpdateOf(recipe, round: 2);
        var withoutOwn = UpdateOf(recipe, round: 2, Files(state: "fresh"));
        Assert.NotEqual(withOwn, withoutOwn);
    }

    [Fact]
    public void KeepLocal_RoundDoneAgain_StartsFromTheSame()
    {
        var recipe = Keeping(TensorGroup.Head);
        Run(recipe, round: 1);
        var once = UpdateOf(recipe, round: 2);
        Assert.Equal(once, UpdateOf(recipe, round: 2));
    }

    /// <summary>Round 2 left nothing; round 3, done again, must still find what round 1 left.</summary>
    [Fact]
    public void KeepLocal_RoundDoneAgainAfterOneThatFailed_StartsFromTheSame()
    {
        var recipe = Keeping(TensorGroup.Head);
        Run(recipe, round: 1);
        Directory.CreateDirectory(Path.Combine(_folder["state"], "2"));
        var once = UpdateOf(recipe, round: 3);
        Assert.Equal(once, UpdateOf(recipe, round: 3));
        Assert.NotEqual(once, UpdateOf(recipe, round: 3, Files(state: "fresh")));
    }

    [Fact]
    public void TakeLatest_Encoder_IsNeitherTrainedNorSent()
    {
        var recipe = Recipe() with { Tensors = new TensorRules { TakeLatest = [TensorGroup.Encoder] } };
        var update = UpdateOf(recipe, files: Files(state: null));
        Assert.All(update.Keys, name => Assert.False(name.StartsWith("encoder", StringComparison.Ordinal)));
        Assert.Contains(update["head.weight"], value => value != 0);

        // Trained on its own, the decoder changes otherwise than beside a moving encoder.
        Assert.NotEqual(UpdateOf(Recipe())["head.weight"], update["head.weight"]);
    }

    [Fact]
    public void Ditto_Update_IsPlainAndThePersonalModelStaysAtTheSite()
    {
        var ditto = Recipe(new LocalAlgorithm.Ditto(0.1));
        Assert.Equal(UpdateOf(Recipe()), UpdateOf(ditto));

        var closed = Run(ditto, round: 4, task: RoundTask.Evaluate);
        Assert.Equal(SyntheticCases.Labels, closed.PersonalScores.Select(score => score.Label));
        using var personal = Predictor.Open([_folder["personal"]], mirror: false, CPU);
        Assert.Equal(closed.PersonalScores, personal.Score(_cohort.HeldBack, TestContext.Current.CancellationToken));
        using var file = SafetensorsFile.Open(_folder["personal"]);
        using var global = SafetensorsFile.Open(_folder["base"]);
        Assert.NotEqual(global.ReadAll("head.weight"), file.ReadAll("head.weight"));
    }

    [Fact]
    public void Ditto_PersonalModelThatDiverges_CostsNoUpdate()
    {
        var ditto = Recipe(new LocalAlgorithm.Ditto(0.1));
        Run(ditto);
        FillWithNaN(Path.Combine(_folder["state"], "1", "personal.safetensors"));

        Assert.Equal(UpdateOf(Recipe(), round: 2, Files(state: "other")), UpdateOf(ditto, round: 2));
        Assert.False(File.Exists(Path.Combine(_folder["state"], "2", "personal.safetensors")));
    }

    private static void FillWithNaN(string path)
    {
        TensorManifest manifest;
        using (var file = SafetensorsFile.Open(path)) manifest = new TensorManifest(file.Tensors);
        using var writer = SafetensorsWriter.Create(path, manifest);
        foreach (var tensor in manifest.Tensors) writer.Write(Enumerable.Repeat(float.NaN, (int)tensor.ElementCount).ToArray());
        writer.Complete();
    }

    [Fact]
    public void FineTuning_WhenTheRunCloses_ImprovesTheSitesOwnModel()
    {
        var closed = Run(Recipe() with { LearningRate = 0.1, FineTuneSteps = 60 }, round: 4, Files(state: null), RoundTask.Evaluate);
        Assert.True(closed.PersonalScores.Average(score => score.MeanDice) > closed.Scores.Average(score => score.MeanDice) + 0.1);
        Assert.False(File.Exists(_folder["update"]));
    }

    [Fact]
    public void Scaffold_FirstRound_IsPlainAndSendsItsMeanGradient()
    {
        var plain = UpdateOf(Recipe());
        var update = UpdateOf(Recipe(new LocalAlgorithm.Scaffold()));
        Assert.All(plain, tensor => Assert.Equal(tensor.Value, update[tensor.Key]));
        Assert.All(plain.Keys, name => Assert.Contains(update[UpdateManifest.ControlName(name)], value => value != 0));
        Assert.Equal(2 * plain.Count, update.Count);
    }

    [Fact]
    public void Scaffold_SecondRound_IsCorrectedByTheDifferenceOfTheControlVariates()
    {
        var recipe = Recipe(new LocalAlgorithm.Scaffold());
        var first = UpdateOf(recipe);
        SmallFederation.Arrive(_folder["state"], 1);

        // The only site's control variate is the federation's: no correction, as plain. Zero for the federation's: corrected.
        new SmallFederation(_folder).WriteControl(first);
        Assert.All(UpdateOf(Recipe(), round: 2), tensor => Assert.Equal(tensor.Value, UpdateOf(recipe, 2, Files(control: "control"))[tensor.Key]));
        Assert.NotEqual(UpdateOf(Recipe(), round: 2)["head.weight"], UpdateOf(recipe, 2)["head.weight"]);
    }

    [Fact]
    public void Scaffold_ChangeOfTheControl_IsWhatTheNextRoundAddsUpTo()
    {
        var recipe = Recipe(new LocalAlgorithm.Scaffold());
        var first = UpdateOf(recipe)[UpdateManifest.ControlName("head.weight")];
        SmallFederation.Arrive(_folder["state"], 1);
        var second = UpdateOf(recipe, round: 2)[UpdateManifest.ControlName("head.weight")];
        using var own = SafetensorsFile.Open(OwnControlFiles.UnsentPathOf(_folder["state"], 2));
        Assert.All(own.ReadAll("head.weight").Select((value, i) => (value, i)), entry => Assert.Equal(first[entry.i] + second[entry.i], entry.value, 1e-6));
    }

    /// <summary>The federation's c is the mean of what arrived: what a site sends must be the change from what arrived last.</summary>
    [Fact]
    public void Scaffold_UpdateThatNeverArrived_LeavesTheControlAsItWas()
    {
        var recipe = Recipe(new LocalAlgorithm.Scaffold());
        Run(recipe);
        var change = UpdateOf(recipe, round: 2)[UpdateManifest.ControlName("head.weight")];
        using var own = SafetensorsFile.Open(OwnControlFiles.UnsentPathOf(_folder["state"], 2));
        Assert.Equal(own.ReadAll("head.weight"), change);
    }

    [Fact]
    public void Keeping_WithoutAFolder_IsRefused() => Assert.Throws<InvalidOperationException>(() => Run(Keeping(TensorGroup.Head), files: Files(state: null)));

    [Theory]
    [InlineData(OptimizerKind.AdamW)]
    [InlineData(OptimizerKind.Sgd)]
    public void OptimizerState_Kept_ChangesTheSecondRoundOnly(OptimizerKind optimizer)
    {
        var reset = Recipe() with { Optimizer = optimizer };
        var keep = reset with { OptimizerState = OptimizerState.Keep };
        Assert.Equal(UpdateOf(reset), UpdateOf(keep));
        Assert.NotEqual(UpdateOf(reset, round: 2), UpdateOf(keep, round: 2));
    }

    [Fact]
    public void PartialLabels_SitesWithOneLabelEach_TogetherLearnBoth()
    {
        var masked = FederateHalves(undrawn: true);
        var unmasked = FederateHalves(undrawn: false);
        // Held against each other's background, the two sites unlearn what the other draws.
        Assert.True(masked.Min() > 0.4 && masked.Min() > unmasked.Min() + 0.1, $"masked {string.Join(' ', masked)}, unmasked {string.Join(' ', unmasked)}");
    }

    /// <summary>Dice of the mean of two sites' models, of which each draws one half of the balls only.</summary>
    private double[] FederateHalves(bool undrawn)
    {
        var start = File.ReadAllBytes(_folder["base"]);
        var full = Cohort.Split(SyntheticCases.Make(3, seed: 9), 0.5, seed: 7);
        new SmallFederation(_folder).Federate(SmallFederation.Halves(undrawn), Recipe(steps: 30) with { Augmentation = AugmentationKind.None }, rounds: 2);
        var scores = Assert.IsType<RoundOutcome.Done>(RoundWork.Run(
            Plans.Round(4, RoundTask.Evaluate), full, Files(state: null), CPU, null, TestContext.Current.CancellationToken)).Scores;
        File.WriteAllBytes(_folder["base"], start);
        return [.. scores.Select(score => score.MeanDice ?? 0)];
    }

    [Fact]
    public void Scaffold_SitesThatDiffer_PullTheSameWay()
    {
        // Steps so small that the gradients of one round still hold in the next: what remains is how the sites differ.
        var small = Recipe(steps: 6) with { LearningRate = 1e-4, Augmentation = AugmentationKind.None };
        var plain = new SmallFederation(_folder).Federate(SmallFederation.Halves(undrawn: false), small, rounds: 2)[^1];
        ModelInitializer.Write(_folder["base"], ArchitectureCatalog.Manifest(Plans.Small), seed: 3);
        var corrected = new SmallFederation(_folder).Federate(SmallFederation.Halves(undrawn: false), small with { Algorithm = new LocalAlgorithm.Scaffold() }, rounds: 2)[^1];
        Assert.True(SmallFederation.Cosine(corrected) > SmallFederation.Cosine(plain) + 0.1, $"plain {SmallFederation.Cosine(plain)}, corrected {SmallFederation.Cosine(corrected)}");
    }

    [Fact]
    public void Ditto_SiteUnlikeTheOther_HasABetterModelOfItsOwn()
    {
        var sites = SmallFederation.Halves(undrawn: false);
        var recipe = Recipe(new LocalAlgorithm.Ditto(0.01), steps: 30) with { Augmentation = AugmentationKind.None };
        new SmallFederation(_folder).Federate(sites, recipe, rounds: 2);
        var closed = Assert.IsType<RoundOutcome.Done>(RoundWork.Run(
            Plans.Round(4, RoundTask.Evaluate, recipe), sites[0], Files(state: "site-0"), CPU, null, TestContext.Current.CancellationToken));
        Assert.True(closed.PersonalScores[0].MeanDice > closed.Scores[0].MeanDice + 0.1, $"{closed.Scores[0]} {closed.PersonalScores[0]}");
    }

    [Fact]
    public void EpochsPerRound_SmallSite_MakesFewerSteps()
    {
        var done = Run(Recipe(steps: 50) with { EpochsPerRound = 2 });
        Assert.Equal(3, done.Steps); // 2 passes over 3 cases, two patches a step
    }

    public static TheoryData<string, TrainingRecipe> Interrupted => new()
    {
        { "AdamW", Recipe(steps: 8) },
        { "SGD", Recipe(steps: 8) with { Optimizer = OptimizerKind.Sgd } },
        { "SCAFFOLD", Recipe(new LocalAlgorithm.Scaffold(), 8) },
        { "Ditto", Recipe(new LocalAlgorithm.Ditto(0.1), 8) },
        { "kept norms and optimiser", Recipe(steps: 8) with { OptimizerState = OptimizerState.Keep, Tensors = new TensorRules { KeepLocal = [TensorGroup.Normalisation] } } },
    };

    [Theory]
    [MemberData(nameof(Interrupted))]
    public void Run_CutOffAndTakenUpAgain_EndsWithTheSameBits(string name, TrainingRecipe recipe)
    {
        Run(recipe, round: 1, Files(state: "whole"));
        Run(recipe, round: 1, Files(state: "cut"));
        var whole = Run(recipe, round: 2, Files(state: "whole"));
        var update = File.ReadAllBytes(_folder["update"]);

        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var plan = Plans.Round(2, recipe: recipe);
        Assert.ThrowsAny<OperationCanceledException>(() => RoundWork.Run(
            plan, _cohort, Files(state: "cut"), CPU, step => { if (step.Step == 5) source.Cancel(); }, source.Token));
        var resumed = new List<int>();
        var done = Assert.IsType<RoundOutcome.Done>(RoundWork.Run(plan, _cohort, Files(state: "cut"), CPU, step => resumed.Add(step.Step), TestContext.Current.CancellationToken));

        Assert.Equal([4, 5, 6, 7, 8], resumed); // from the checkpoint after step 3
        Assert.Equal(update, File.ReadAllBytes(_folder["update"]));
        Assert.True(whole.MeanLoss == done.MeanLoss, name);
        Assert.Equal(Contents("whole"), Contents("cut"));
    }

    [Fact]
    public void FineTuning_CutOffAndTakenUpAgain_EndsWithTheSameBits()
    {
        var plan = Plans.Round(4, RoundTask.Evaluate, Recipe() with { FineTuneSteps = 8 });
        List<int> Close(string state, Action<int>? stepped, CancellationToken cancellationToken)
        {
            var steps = new List<int>();
            RoundWork.Run(plan, _cohort, Files(state), CPU, null, cancellationToken, ownStepped: step =>
            {
                steps.Add(step.Step);
                stepped?.Invoke(step.Step);
            });
            return steps;
        }

        Close("whole", null, TestContext.Current.CancellationToken);
        var tuned = File.ReadAllBytes(_folder["personal"]);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Assert.ThrowsAny<OperationCanceledException>(() => Close("cut", step => { if (step == 5) source.Cancel(); }, source.Token));

        Assert.Equal([4, 5, 6, 7, 8], Close("cut", null, TestContext.Current.CancellationToken)); // from the checkpoint after step 3
        Assert.Equal(tuned, File.ReadAllBytes(_folder["personal"]));
        Assert.Empty(Contents("cut"));
    }

    [Fact]
    public void Run_CheckpointOfAnotherPlan_IsNotGoneOnFrom()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Assert.ThrowsAny<OperationCanceledException>(() => RoundWork.Run(
            Plans.Round(recipe: Recipe(steps: 8)), _cohort, Files(), CPU, step => { if (step.Step == 5) source.Cancel(); }, source.Token));

        var other = UpdateOf(Recipe(steps: 8) with { LearningRate = 0.02 });
        Assert.Equal(UpdateOf(Recipe(steps: 8) with { LearningRate = 0.02 }, files: Files(state: null)), other);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(200)]
    public void Run_DamagedCheckpoint_CostsItsStepsAndNotTheRound(int bytesLeft)
    {
        var recipe = Recipe(steps: 8);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Assert.ThrowsAny<OperationCanceledException>(() => RoundWork.Run(
            Plans.Round(recipe: recipe), _cohort, Files(), CPU, step => { if (step.Step == 5) source.Cancel(); }, source.Token));
        var checkpoint = Assert.Single(Directory.GetFiles(_folder["state"], "*", SearchOption.AllDirectories));
        using (var file = File.OpenWrite(checkpoint)) file.SetLength(bytesLeft);

        Assert.Equal(UpdateOf(recipe, files: Files(state: null)), UpdateOf(recipe));
    }

    private Dictionary<string, string> Contents(string state) => Directory.GetFiles(_folder[state], "*", SearchOption.AllDirectories)
        .ToDictionary(path => Path.GetRelativePath(_folder[state], path), path => Convert.ToHexString(File.ReadAllBytes(path)));
}

using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.Federation.Yaml;

namespace FedSeg.Federation.Jobs;

/// <summary>Reads a job's <c>training</c>: the steps, and what a site does beside them. An option of another algorithm than the job's is an unknown key.</summary>
internal static class RecipeReader
{
    /// <param name="training">The mapping.</param>
    /// <param name="isPlanned">Whether the batch is the plan's to decide, so that the job can't.</param>
    public static TrainingRecipe Read(StrictYamlMap training, bool isPlanned)
    {
        const int untilPlanned = 2;
        var optimizer = training.OneOf<OptimizerKind>("optimizer", OptimizerKind.AdamW);
        var recipe = new TrainingRecipe
        {
            StepsPerRound = training.WholeNumber("stepsPerRound", 1, 1_000_000),
            BatchSize = isPlanned ? untilPlanned : training.WholeNumber("batchSize", 1, 256, fallback: 2),
            BatchDice = !isPlanned && training.Flag("batchDice", fallback: false),
            Optimizer = optimizer,
            LearningRate = training.Number("learningRate", 1e-8, 10, fallback: optimizer == OptimizerKind.Sgd ? 0.01 : 0.003),
            WeightDecay = training.Number("weightDecay", 0, 1, fallback: 3e-5),
            UpdateEncoding = training.OneOf<UpdateEncoding>("updateEncoding", UpdateEncoding.F32),
            ErrorFeedback = training.Flag("errorFeedback", fallback: false),
            Augmentation = training.OneOf<AugmentationKind>("augmentation", AugmentationKind.Standard),
            Mirroring = training.Flag("mirroring", fallback: true),
            EpochsPerRound = training.Has("epochsPerRound") ? training.WholeNumber("epochsPerRound", 1, 1000) : null,
            Algorithm = ReadAlgorithm(training),
            Tensors = new TensorRules { KeepLocal = Groups(training, "keepLocal"), TakeLatest = Groups(training, "takeLatest") },
            PartialLabels = training.Flag("partialLabels", fallback: false),
            OptimizerState = training.OneOf<OptimizerState>("optimizerState", OptimizerState.Reset),
            Privacy = training.Has("privacy") ? ReadPrivacy(training.Map("privacy")) : null,
            FineTuneSteps = training.WholeNumber("fineTuneSteps", 0, 1_000_000, fallback: 0),
        };
        if (recipe.EncodingProblem() is { } encoding) training.Refuse(recipe.ErrorFeedback ? "errorFeedback" : "updateEncoding", encoding);
        else if (recipe.Problem() is { } problem) training.Refuse(recipe.Privacy?.Problem() is null ? "algorithm" : "privacy", problem);
        return recipe;
    }

    private static LocalAlgorithm ReadAlgorithm(StrictYamlMap training)
    {
        var name = training.Text("algorithm", "plain");
        switch (name)
        {
            case "plain":
                return new LocalAlgorithm.Plain();
            case "fedprox":
                return new LocalAlgorithm.FedProx(training.Number("mu", 0, 100, fallback: 0.01));
            case "scaffold":
                return new LocalAlgorithm.Scaffold();
            case "ditto":
                return new LocalAlgorithm.Ditto(training.Number("lambda", 0, 100, fallback: 0.1));
            default:
                training.Refuse("algorithm", $"'{Quote.Of(name)}' is not one of: plain, fedprox, scaffold, ditto");
                return new LocalAlgorithm.Plain();
        }
    }

    private static PatientPrivacy ReadPrivacy(StrictYamlMap privacy) => new()
    {
        ClippingNorm = privacy.Number("clippingNorm", 1e-6, 1e6, fallback: 1),
        ExpectedBatch = privacy.Number("expectedBatch", 0.1, 10_000),
        PatchesPerPatient = privacy.WholeNumber("patchesPerPatient", 1, 64, fallback: 2),
        Delta = privacy.Number("delta", 1e-10, 0.01),
        NoiseMultiplier = privacy.Has("noiseMultiplier") ? privacy.Number("noiseMultiplier", 0.1, 1000) : null,
        Epsilon = privacy.Has("epsilon") ? privacy.Number("epsilon", 0.01, 100) : null,
    };

    private static ImmutableArray<TensorGroup> Groups(StrictYamlMap training, string key) => !training.Has(key) ? [] : training.Values<TensorGroup>(
        key,
        text => Enum.TryParse<TensorGroup>(text, ignoreCase: true, out var group) && Enum.IsDefined(group) && !char.IsDigit(text[0]) ? group : null,
        "one of: normalisation, encoder, decoder, head",
        1,
        4);
}

using System.Text.Json;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.Federation.Tests.Jobs;

public sealed class JobSpecReaderTests
{
    private const string Complete = """
        name: kidneys
        sites: [north, east, south]
        rounds: 5
        labels: [kidney, tumour]
        model:
          architecture: unet3d
          levels: 3
        data:
          modality: MR
          spacingMm: [1.5, 1, 1]
          patchVoxels: [32, 48, 48]
        training:
          stepsPerRound: 20
          optimizer: sgd
        """;

    private const string Planned = """
        name: spleens
        sites: [north, east]
        rounds: 5
        labels: [spleen]
        model:
          architecture: unet
          strides: [1x1x1, 1x2x2]
          kernels: [1x3x3, 3x3x3]
          features: [8, 16]
          blocks: [2, 3]
          decoderConvolutions: 1
          deepSupervision: false
        data:
          modality: CT
          spacingMm: [5, 1, 1]
          patchVoxels: [7, 48, 48]
          crop: nonzero
          intensity:
            mean: 99.3
            deviation: 39.5
            lowerClip: -41
            upperClip: 176
        training:
          stepsPerRound: 20
        """;

    [Fact]
    public void Read_CompleteJob_FillsDefaultsAndSortsSites()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete)).Job;

        Assert.Equal(["east", "north", "south"], job.Sites.Select(site => site.ToString()));
        Assert.Equal(3, job.Architecture.Classes);
        Assert.Equal(OptimizerKind.Sgd, job.Recipe.Optimizer);
        Assert.Equal(2, job.Recipe.BatchSize);
        Assert.Equal(2, job.Quorum);
        Assert.Equal([1.5, 1, 1], job.Preprocessing.SpacingMm);
    }

    [Fact]
    public void Read_UnknownKey_IsAProblemWithItsLine()
    {
        var problem = Assert.Single(Problems(Complete + "\nlearningRat: 3"));

        Assert.Equal(15, problem.Line);
        Assert.Contains("learningRat: unknown key", problem.Message);
    }

    [Fact]
    public void Read_ManyMistakes_AreAllReportedAtOnce()
    {
        var problems = Problems(Complete
            .Replace("rounds: 5", "rounds: 0")
            .Replace("unet3d", "resnet")
            .Replace("MR", "PT")
            .Replace("[32, 48, 48]", "[30, 48]")
            .Replace("stepsPerRound: 20", "stepsPerRound: many"));

        Assert.Equal([3, 6, 9, 11, 13], problems.Select(problem => problem.Line));
        Assert.Contains("'resnet' is not on the allow-list; use one of: unet3d", problems[1].Message);
    }

    [Fact]
    public void Read_PatchThatDoesNotFitTheStrides_IsRefused()
    {
        var problem = Assert.Single(Problems(Complete.Replace("[32, 48, 48]", "[30, 48, 48]")));

        Assert.Equal(11, problem.Line);
        Assert.Contains("[30, 48, 48] must be multiples of [4, 4, 4]", problem.Message);
    }

    [Fact]
    public void Read_PlannedNetwork_HasItsStages()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Planned)).Job;

        var topology = job.Architecture.Topology!;
        Assert.Equal([1, 2, 2], topology.Stages[1].Stride);
        Assert.Equal([1, 3, 3], topology.Stages[0].Kernel);
        Assert.Equal((8, 3), (topology.Stages[0].Features, topology.Stages[1].Blocks));
        Assert.Equal((1, false), (topology.DecoderConvolutions, topology.DeepSupervision));
        Assert.Equal(-41, job.Preprocessing.Intensity!.LowerClip);
        Assert.Equal(CropRule.Nonzero, job.Preprocessing.Crop);
    }

    [Theory]
    [InlineData("kernels: [1x3x3, 3x3x3]", "kernels: [1x3x3]", "kernels")]
    [InlineData("strides: [1x1x1, 1x2x2]", "strides: [1x1x1, 1x4x2]", "'1x4x2' is not three of")]
    [InlineData("strides: [1x1x1, 1x2x2]", "strides: [2x2x2, 1x2x2]", "the stride of stage 0")]
    [InlineData("kernels: [1x3x3, 3x3x3]", "kernels: [1x3x3, 2x3x3]", "the kernel of stage 1")]
    [InlineData("upperClip: 176", "upperClip: -50", "must be below its upper")]
    [InlineData("modality: CT", "modality: MR", "is for CT")]
    [InlineData("crop: nonzero", "crop: nonzeroMasked", "CT is not")]
    [InlineData("crop: nonzero", "crop: body", "one of: none, nonzero, nonzeroMasked")]
    [InlineData("architecture: unet", "architecture: unet3d", "unknown key")]
    public void Read_PlannedNetworkWithAMistake_IsRefused(string find, string replace, string problem) =>
        Assert.Contains(Problems(Planned.Replace(find, replace)), line => line.Message.Contains(problem, StringComparison.Ordinal));

    [Theory]
    [InlineData("Kidneys 2026")]
    [InlineData("../kidneys")]
    [InlineData("''")]
    public void Read_StudyThatIsNoName_IsRefused(string study) =>
        Assert.Contains(Problems(Complete + $"\nstudy: {study}\n"), line => line.Message.Contains("a study's name", StringComparison.Ordinal));

    [Fact]
    public void Read_Study_IsTheJobsAndChangesNothingOfAJobWithoutOne()
    {
        var (with, without) = (Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\nstudy: kidneys-2026\n")).Job, Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete)).Job);

        Assert.Equal("kidneys-2026", with.Study.ToString());
        // A run's id comes from these bytes.
        Assert.DoesNotContain("study", JsonSerializer.Serialize(without, FederationJson.Options), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BlindJob_IsFedAvgWithTheThresholdAsItsQuorum()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\naggregation: { mode: blind }")).Job;

        Assert.Equal(new BlindOptions { Range = 1, MaximumCases = 500, StepMinutes = 10 }, job.Blind);
        Assert.Equal(3, job.Quorum);
        Assert.Equal("the weighted mean", job.Aggregation.Rule.Describe());
        Assert.Null(job.Aggregation.Bound);
    }

    [Fact]
    public void Read_JobWithoutAMode_IsInspectable() =>
        Assert.Null(Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete)).Job.Blind);

    [Theory]
    [InlineData("{ mode: blind, strategy: median }", "the sum of the updates and no more")]
    [InlineData("{ mode: blind, strategy: normbound }", "the sum of the updates and no more")]
    [InlineData("{ mode: blind, quorum: 2 }", "a blind round of 3 sites needs 3")]
    [InlineData("{ mode: blind, blind: { range: 0 } }", "range")]
    [InlineData("{ mode: blind, blind: { colour: red } }", "unknown key")]
    [InlineData("{ mode: secret }", "one of: inspectable, blind")]
    [InlineData("{ blind: { range: 1 } }", "unknown key")]
    public void Read_BlindJobWithAMistake_IsRefused(string aggregation, string problem) =>
        Assert.Contains(Problems($"{Complete}\naggregation: {aggregation}"), line =>
            line.Message.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Read_BlindJobOfTwoSitesOrOfAnotherEncoding_IsRefused()
    {
        var two = Problems(Complete.Replace("[north, east, south]", "[north, east]") + "\naggregation: { mode: blind }");
        var encoded = Problems(
            Complete.Replace("optimizer: sgd", "optimizer: sgd\n  updateEncoding: i16") + "\naggregation: { mode: blind }");

        Assert.Contains(two, line => line.Message.Contains("a blind round has 3 to 128 sites", StringComparison.Ordinal));
        Assert.Contains(encoded, line => line.Message.Contains("needs updateEncoding f32", StringComparison.Ordinal));
    }

    [Fact]
    public void PlanRound_OfABlindJob_IsBlindWhileItTrains()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\naggregation: { mode: blind }")).Job;
        var (run, model) = (Federation.Identity.RunId.Parse("run-1"), Federation.Identity.Sha256Digest.Of("model"u8));

        var training = job.PlanRound(run, 1, model, 1);
        var evaluation = job.PlanRound(run, 6, model, 1);

        Assert.Equal(job.Sites, training.Blind!.Sites);
        Assert.Equal((500, -14), (training.Blind.MaximumCases, training.Blind.GridExponent));
        Assert.True(training.MasksUpdates);
        // The same terms to the end of the run, with nothing to mask.
        Assert.Equal(training.Blind.GridExponent, evaluation.Blind!.GridExponent);
        Assert.False(evaluation.MasksUpdates);
        Assert.Equal(0, evaluation.UpdateBytes());
        Assert.Equal(training.ToBytes(), RoundPlan.FromBytes(training.ToBytes()).ToBytes());
        Assert.Equal(TimeSpan.FromMinutes(145), job.LongestWaitFor(training));
        Assert.Equal(TimeSpan.FromMinutes(120), job.LongestWaitFor(evaluation));
    }

    [Theory]
    [InlineData("- a\n- b", "one YAML mapping")]
    [InlineData("name: [", "not valid YAML")]
    [InlineData("", "one YAML mapping")]
    public void Read_NoMapping_IsOneProblem(string yaml, string reason) => Assert.Contains(reason, Assert.Single(Problems(yaml)).Message);

    [Fact]
    public void Read_SiteTwice_IsRefused() => Assert.Contains("named twice", Assert.Single(Problems(Complete.Replace("[north, east, south]", "[north, north]"))).Message);

    [Fact]
    public void Read_HugeFile_IsRefusedUnparsed() => Assert.Contains("more than", Assert.Single(Problems(new string('#', 2 << 20))).Message);

    [Fact]
    public void Read_RequiredSiteThatIsNotAsked_IsAProblem()
    {
        var invalid = Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(Complete + "\naggregation:\n  requiredSites: [stranger]"));

        Assert.Contains("'stranger' is not one of the job's sites", Assert.Single(invalid.Problems).Message);
    }

    [Fact]
    public void Read_DeadlineAlone_GivesAQuarterOfItAsGrace()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\naggregation:\n  roundDeadlineMinutes: 60")).Job;

        Assert.Equal(15, job.GraceMinutes);
        Assert.Empty(job.RequiredSites);
        Assert.Equal(0, job.MinimumCasesPerRound);
    }

    [Fact]
    public void Read_Priority_IsNormalUnlessGiven()
    {
        Assert.Equal(JobPriority.Normal, Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete)).Job.Priority);
        Assert.Equal(JobPriority.High, Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\npriority: high")).Job.Priority);
        Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(Complete + "\npriority: urgent"));
    }

    [Fact]
    public void Schema_Keys_AreThoseTheReaderKnows()
    {
        // Every key at once is accepted, so the reader knows what the schema allows; anything else is refused by Read_UnknownKey.
        // Strategies and their options: AggregationReaderTests.
        using var schema = JsonDocument.Parse(JobSpecReader.Schema);
        var yaml = Complete
            .Replace("  levels: 3", "  levels: 3\n  baseFeatures: 4")
            .Replace("patchVoxels: [32, 48, 48]", "patchVoxels: [32, 48, 48]\n  heldBackFraction: 0.3")
            .Replace("optimizer: sgd", "optimizer: adamW\n  updateEncoding: i16\n  errorFeedback: true\n  batchSize: 1\n  batchDice: true\n  learningRate: 0.1\n  weightDecay: 0\n"
                + "  augmentation: none\n  mirroring: false\n  epochsPerRound: 2\n  algorithm: fedprox\n  mu: 1\n"
                + "  keepLocal: [normalisation]\n  takeLatest: [encoder]\n  optimizerState: keep\n  partialLabels: true\n  fineTuneSteps: 5")
            + "\naggregation:\n  strategy: fedavg\n  quorum: 1\n  roundDeadlineMinutes: 5\n"
                + "  graceMinutes: 1\n  minimumCasesPerRound: 20\n  requiredSites: [north]\n  maximumWeight: 4\nminimumCases: 2\nseed: 9\nstudy: kidneys-2026\npriority: low"
            + "\negress:\n  maximumNorm: 1\n  maximumTensorRatio: 1\n  minimumTrainingCases: 1\n  minimumHeldBackCases: 1";

        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(yaml));
        var ditto = Complete + "\n  algorithm: ditto\n  lambda: 1";
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(ditto));
        var noise = Complete + "\n  privacy:\n    clippingNorm: 1\n    expectedBatch: 4\n    patchesPerPatient: 1\n    delta: 1e-5\n    noiseMultiplier: 1";
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(noise));
        var epsilon = noise.Replace("noiseMultiplier", "epsilon");
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(epsilon));
        var blind = Complete + "\naggregation:\n  mode: blind\n  blind:\n    range: 0.5\n    maximumCases: 100\n    stepMinutes: 5";
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(blind));
        var toBePlanned = ToBePlanned.Replace("  preset: cpu", "  preset: cpu\n  leastCases: 7");
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(toBePlanned));
        var options = StrategyCatalog.All.SelectMany(strategy => strategy.Options).Select(option => option.Name).Append("root").ToHashSet();
        Assert.Equal(
            KeysOf(schema.RootElement).Where(key => !options.Contains(key)).Order(StringComparer.Ordinal),
            WrittenIn(yaml).Union(WrittenIn(Planned)).Union(WrittenIn(toBePlanned)).Union(
                WrittenIn(ditto)).Union(WrittenIn(noise)).Union(WrittenIn(epsilon)).Union(WrittenIn(blind)).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> WrittenIn(string yaml) => yaml.Split('\n').Select(line => line.Split(':')[0].Trim()).Where(key => key.Length > 0);

    private static IEnumerable<string> KeysOf(JsonElement schema) =>
        schema.TryGetProperty("properties", out var properties)
            ? properties.EnumerateObject().SelectMany(property => KeysOf(property.Value).Prepend(property.Name))
            : [];

    private static IReadOnlyList<Yaml.YamlProblem> Problems(string yaml) => Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(yaml)).Problems;

    [Fact]
    public void Read_Augmentation_IsStandardUnlessSaidOtherwise()
    {
        var standard = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete)).Job.Recipe;
        Assert.Equal((AugmentationKind.Standard, true), (standard.Augmentation, standard.Mirroring));

        var none = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\n  augmentation: none\n  mirroring: false")).Job.Recipe;
        Assert.Equal((AugmentationKind.None, false), (none.Augmentation, none.Mirroring));

        var wrong = Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(Complete + "\n  augmentation: some\n  mirroring: 2"));
        Assert.Equal(2, wrong.Problems.Length);
    }

    [Theory]
    [InlineData("algorithm: fedprox\n  mu: 0.5")]
    [InlineData("algorithm: ditto\n  lambda: 0.5")]
    [InlineData("algorithm: scaffold")]
    [InlineData("algorithm: plain")]
    public void Read_LocalAlgorithm_IsTheNamedOne(string lines)
    {
        var algorithm = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\n  " + lines)).Job.Recipe.Algorithm;
        LocalAlgorithm[] known = [new LocalAlgorithm.FedProx(0.5), new LocalAlgorithm.Ditto(0.5), new LocalAlgorithm.Scaffold(), new LocalAlgorithm.Plain()];
        Assert.Contains(algorithm, known.Where(one => lines.Contains(one.GetType().Name, StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("updateEncoding: top10\n  errorFeedback: true")]
    [InlineData("updateEncoding: top1\n  algorithm: fedprox")]
    [InlineData("updateEncoding: i8\n  errorFeedback: true\n  algorithm: ditto")]
    [InlineData("updateEncoding: top10\n  privacy: { epsilon: 8, delta: 1e-5, expectedBatch: 4 }")]
    public void Read_LossyEncoding_IsAccepted(string lines) =>
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\n  " + lines));

    [Theory]
    [InlineData("errorFeedback: true", "training.errorFeedback: errorFeedback keeps what an encoding loses, and f32 loses nothing")]
    [InlineData("updateEncoding: i8\n  errorFeedback: true\n  algorithm: scaffold", "SCAFFOLD goes without")]
    [InlineData("updateEncoding: top1\n  algorithm: scaffold", "training.updateEncoding: SCAFFOLD's control variates have to arrive whole")]
    [InlineData("updateEncoding: top10\n  errorFeedback: true\n  privacy: { epsilon: 8, delta: 1e-5, expectedBatch: 4 }",
        "charges a round for its own steps only")]
    [InlineData("updateEncoding: top10\naggregation: { mode: blind }", "a blind round needs updateEncoding f32")]
    [InlineData("updateEncoding: top10\naggregation: { strategy: median, byzantine: 1 }", "of most weights a sparse update says nothing")]
    [InlineData("updateEncoding: top5", "one of: f32, f16, i16, i8, top10, top1")]
    public void Read_EncodingThatCantBe_SaysWhy(string lines, string problem) =>
        Assert.Contains(Problems(Complete + "\n  " + lines), line => line.Message.Contains(problem, StringComparison.Ordinal));

    [Theory]
    [InlineData("algorithm: fedsgd", "'fedsgd' is not one of")]
    [InlineData("algorithm: scaffold\n  mu: 1", "mu")]
    [InlineData("algorithm: ditto\n  fineTuneSteps: 5", "leave fine-tuning out")]
    [InlineData("keepLocal: [layers]", "one of: normalisation")]
    [InlineData("keepLocal: [head]\n  takeLatest: [head]", "named twice")]
    [InlineData("takeLatest: [encoder, decoder, head]", "no tensor would be averaged")]
    [InlineData("optimizerState: remember", "one of: reset, keep")]
    public void Read_ImpossibleLocalAlgorithm_SaysWhy(string lines, string problem) =>
        Assert.Contains(Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(Complete + "\n  " + lines)).Problems, entry => entry.ToString().Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Read_Privacy_HasItsDefaults()
    {
        var privacy = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\n  privacy:\n    epsilon: 8\n    delta: 1e-5\n    expectedBatch: 4")).Job.Recipe.Privacy;
        Assert.Equal(new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 2, Delta = 1e-5, Epsilon = 8 }, privacy);
    }

    [Theory]
    [InlineData("delta: 1e-5\n    expectedBatch: 4", "either the noise multiplier or")]
    [InlineData("delta: 1e-5\n    expectedBatch: 4\n    epsilon: 3\n    noiseMultiplier: 1", "not both")]
    [InlineData("delta: 0.5\n    expectedBatch: 4\n    epsilon: 3", "delta")]
    [InlineData("delta: 1e-5\n    epsilon: 3", "expectedBatch")]
    [InlineData("delta: 1e-5\n    expectedBatch: 4\n    epsilon: 3\naggregation:\n  strategy: qfedavg", "qfedavg looks at")]
    public void Read_ImpossiblePrivacy_SaysWhy(string lines, string problem) => Assert.Contains(
        Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(Complete + "\n  privacy:\n    " + lines)).Problems,
        entry => entry.ToString().Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Read_KeptTensors_LeaveTheUpdate()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(Complete + "\n  keepLocal: [normalisation]\n  takeLatest: [encoder]\n  algorithm: scaffold")).Job;
        var plan = job.PlanRound(Plans.Run, 1, Plans.InitialModel.Sha256, Plans.InitialModel.Bytes);
        var sent = plan.UpdateManifest().All.Tensors.Select(tensor => tensor.Name).ToList();
        Assert.DoesNotContain(sent, name => name.Contains("norm", StringComparison.Ordinal) || name.Contains("encoder", StringComparison.Ordinal));
        Assert.Contains("head.weight", sent);
        Assert.Contains("control.head.weight", sent);
        Assert.Equal(plan.ToBytes(), RoundPlan.FromBytes(plan.ToBytes()).ToBytes());
    }

    private const string ToBePlanned = """
        name: spleens
        sites: [north, east]
        rounds: 5
        labels: [spleen]
        model:
          architecture: planned
          preset: cpu
          configuration: 2d
        data:
          modality: CT
        training:
          stepsPerRound: 20
        """;

    /// <summary>nnU-Net's rate for SGD would be far too high for Adam's steps, and Adam's far too low for SGD's.</summary>
    [Theory]
    [InlineData("sgd", 0.01)]
    [InlineData("adamW", 0.003)]
    public void Read_NoLearningRate_IsTheOptimisersOwn(string optimizer, double rate) => Assert.Equal(
        rate,
        Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(ToBePlanned + $"\n  optimizer: {optimizer}")).Job.Recipe.LearningRate);

    [Fact]
    public void Read_NetworkToBePlanned_NamesNoneAndSaysHow()
    {
        var job = Assert.IsType<JobSpecResult.Valid>(JobSpecReader.Read(ToBePlanned)).Job;

        Assert.Equal(new PlanningSpec { Preset = PlannerPresetName.Cpu, Configuration = "2d", LeastCases = 5 }, job.Planning);
        Assert.True(job.Architecture.IsToBePlanned);
        Assert.Empty(job.Preprocessing.SpacingMm);
        Assert.NotEmpty(ArchitectureCatalog.Problems(job.Architecture));
    }

    [Theory]
    [InlineData("  modality: CT", "  modality: CT\n  spacingMm: [1, 1, 1]", "data.spacingMm: unknown key")]
    [InlineData("  stepsPerRound: 20", "  stepsPerRound: 20\n  batchSize: 4", "training.batchSize: unknown key")]
    [InlineData("configuration: 2d", "configuration: 4d", "is not one of: 3d_fullres, 3d_lowres, 2d")]
    [InlineData("preset: cpu", "leastCases: 1", "leastCases")]
    [InlineData("  stepsPerRound: 20", "  stepsPerRound: 20\n  privacy:\n    expectedBatch: 4\n    delta: 0.001\n    epsilon: 8", "a fingerprint is counted without noise")]
    public void Read_NetworkToBePlannedAndNamed_IsRefused(string text, string replacement, string problem)
    {
        var read = Assert.IsType<JobSpecResult.Invalid>(JobSpecReader.Read(ToBePlanned.Replace(text, replacement, StringComparison.Ordinal)));

        Assert.Contains(problem, string.Join("; ", read.Problems));
    }
}

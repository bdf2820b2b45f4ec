using System.Text;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;
using FedSeg.SiteAgent.Assignments;

namespace FedSeg.SiteAgent.Tests.Assignments;

public sealed class PlanCheckTests
{
    [Fact]
    public void TryRead_CanonicalBytes_IsThePlan() => Assert.Equal(Plans.Good().ToBytes(), PlanCheck.TryRead(Plans.Good().ToBytes())!.ToBytes());

    [Theory]
    [InlineData("\"round\":1", "\"round\": 1")]
    [InlineData("\"round\":1", "\"round\":1,\"script\":\"x\"")]
    [InlineData("\"round\":1", "\"round\":1,\"round\":1")]
    [InlineData("\"round\":1,\"totalRounds\":2", "\"totalRounds\":2,\"round\":1")]
    [InlineData("\"round\":1,", "")]
    [InlineData("{", "[")]
    [InlineData("run-test", "run-../../etc")]
    public void TryRead_AnythingButTheCanonicalForm_IsNoPlan(string text, string replacement)
    {
        var json = Encoding.UTF8.GetString(Plans.Good().ToBytes());
        Assert.Contains(text, json);

        Assert.Null(PlanCheck.TryRead(Encoding.UTF8.GetBytes(json.Replace(text, replacement))));
    }

    public static TheoryData<Func<RoundPlan, RoundPlan>> PlansWithNull => new()
    {
        plan => plan with { Architecture = null! },
        plan => plan with { Preprocessing = null! },
        plan => plan with { Recipe = null! },
        plan => plan with { Recipe = plan.Recipe with { Algorithm = null! } },
        plan => plan with { Recipe = plan.Recipe with { Tensors = null! } },
    };

    [Theory]
    [MemberData(nameof(PlansWithNull))]
    public void TryRead_NullWhereARecordBelongs_IsNoPlan(Func<RoundPlan, RoundPlan> change) =>
        Assert.Null(PlanCheck.TryRead(change(Plans.Good()).ToBytes()));

    [Fact]
    public void TryRead_HugeDocument_IsNoPlan() => Assert.Null(PlanCheck.TryRead(new byte[300 * 1024]));

    [Fact]
    public void Problems_GoodPlan_HasNone() => Assert.Empty(PlanCheck.Problems(Plans.Good(), Plans.Labels));

    [Fact]
    public void Problems_EveryLocalAlgorithm_HasNone()
    {
        LocalAlgorithm[] algorithms = [new LocalAlgorithm.Plain(), new LocalAlgorithm.FedProx(0.1), new LocalAlgorithm.Scaffold(), new LocalAlgorithm.Ditto(1)];
        foreach (var algorithm in algorithms)
        {
            var plan = Plans.Good() with { Recipe = Plans.Good().Recipe with { Algorithm = algorithm, EpochsPerRound = 2 } };
            Assert.Empty(PlanCheck.Problems(PlanCheck.TryRead(plan.ToBytes())!, Plans.Labels));
        }
    }

    [Fact]
    public void Problems_SomeLabelsOfAPartialRun_AreEnough() => Assert.Empty(PlanCheck.Problems(
        Plans.Good() with { Labels = ["kidney", "liver"], Recipe = Plans.Good().Recipe with { PartialLabels = true } }, Plans.Labels));

    [Fact]
    public void Problems_ClosingEvaluation_HasNone() =>
        Assert.Empty(PlanCheck.Problems(Plans.Good() with { Round = 3, Task = RoundTask.Evaluate }, Plans.Labels));

    public static TheoryData<string, Func<RoundPlan, RoundPlan>> Refused => new()
    {
        { "not on the allow-list", plan => plan with { Architecture = plan.Architecture with { Name = "resnet" } } },
        { "not on the allow-list", plan => plan with { Architecture = plan.Architecture with { Name = null! } } },
        { "levels is 7", plan => plan with { Architecture = plan.Architecture with { Levels = 7 } } },
        { "one image channel", plan => plan with { Architecture = plan.Architecture with { InputChannels = 2 } } },
        { "classes", plan => plan with { Labels = ["kidney"] } },
        { "'liver' is not one of this site's", plan => plan with { Labels = ["kidney", "liver"] } },
        { "none of the labels", plan => plan with { Labels = ["liver", "lung"], Recipe = plan.Recipe with { PartialLabels = true } } },
        { "must be multiples of [2, 2, 2]", plan => plan with { Preprocessing = plan.Preprocessing with { PatchVoxels = [8, 8, 9] } } },
        { "patch does not fit", plan => plan with { Preprocessing = plan.Preprocessing with { PatchVoxels = [8, 8, 1026] } } },
        { "could hold a whole patch", plan => plan with { Preprocessing = plan.Preprocessing with { PatchVoxels = [4, 4, 4] } } },
        { "needs its topology", plan => plan with { Architecture = plan.Architecture with { Name = "unet", BaseFeatures = 0, Levels = 0 } } },
        { "intensity statistics", plan => plan with { Preprocessing = plan.Preprocessing with { Intensity = new() { Mean = 0, Deviation = 1, LowerClip = 0, UpperClip = 1 } } } },
        { "within a mask", plan => plan with { Preprocessing = plan.Preprocessing with { Modality = "CT", Crop = CropRule.NonzeroMasked } } },
        { "patch does not fit", plan => plan with { Preprocessing = plan.Preprocessing with { PatchVoxels = [8, 8, -8] } } },
        { "three axes", plan => plan with { Preprocessing = plan.Preprocessing with { PatchVoxels = [8, 8] } } },
        { "three axes", plan => plan with { Preprocessing = plan.Preprocessing with { SpacingMm = [1, 1, 1, 1] } } },
        { "spacing is impossible", plan => plan with { Preprocessing = plan.Preprocessing with { SpacingMm = [1, 1, 0] } } },
        { "modality", plan => plan with { Preprocessing = plan.Preprocessing with { Modality = "PT" } } },
        { "steps or batch", plan => plan with { Recipe = plan.Recipe with { StepsPerRound = 0 } } },
        { "steps or batch", plan => plan with { Recipe = plan.Recipe with { BatchSize = 257 } } },
        { "optimiser's numbers", plan => plan with { Recipe = plan.Recipe with { LearningRate = 0 } } },
        { "optimiser's numbers", plan => plan with { Recipe = plan.Recipe with { LearningRate = double.NaN } } },
        { "optimiser's numbers", plan => plan with { Recipe = plan.Recipe with { WeightDecay = -1 } } },
        { "local algorithm", plan => plan with { Recipe = plan.Recipe with { Algorithm = new LocalAlgorithm.FedProx(double.NaN) } } },
        { "local algorithm", plan => plan with { Recipe = plan.Recipe with { Algorithm = new LocalAlgorithm.Ditto(-1) } } },
        { "named twice", plan => plan with { Recipe = plan.Recipe with { Tensors = new() { KeepLocal = [TensorGroup.Head], TakeLatest = [TensorGroup.Head] } } } },
        { "no tensor would be averaged", plan => plan with { Recipe = plan.Recipe with { Tensors = new() { KeepLocal = [TensorGroup.Encoder, TensorGroup.Decoder, TensorGroup.Head] } } } },
        { "leave fine-tuning out", plan => plan with { Recipe = plan.Recipe with { Algorithm = new LocalAlgorithm.Ditto(1), FineTuneSteps = 1 } } },
        { "noise multiplier", plan => plan with { Recipe = plan.Recipe with { Privacy = new() { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 2, Delta = 1e-5, NoiseMultiplier = 0 } } } },
        { "f32 loses nothing", plan => plan with { Recipe = plan.Recipe with { ErrorFeedback = true } } },
        { "have to arrive whole", plan =>
            plan with { Recipe = plan.Recipe with { UpdateEncoding = UpdateEncoding.Top1, Algorithm = new LocalAlgorithm.Scaffold() } } },
        { "epochs or fine-tuning", plan => plan with { Recipe = plan.Recipe with { EpochsPerRound = 0 } } },
        { "only SCAFFOLD", plan => plan with { Control = new ModelRef(plan.BaseModel, plan.BaseModelBytes) } },
        { "control variate's length", plan => plan with { Recipe = plan.Recipe with { Algorithm = new LocalAlgorithm.Scaffold() }, Control = new ModelRef(plan.BaseModel, 1) } },
        { "held-back share", plan => plan with { HeldBackFraction = 0 } },
        { "held-back share", plan => plan with { HeldBackFraction = 0.51 } },
        { "round is not one", plan => plan with { Round = 0 } },
        { "round is not one", plan => plan with { Round = 3 } },
        { "round is not one", plan => plan with { TotalRounds = int.MaxValue } },
        { "base model's length", plan => plan with { BaseModelBytes = 10 } },
        { "base model's length", plan => plan with { BaseModelBytes = long.MaxValue } },
        { "3 to 128 sites", plan => plan with { Blind = Blind("east", "north") } },
        { "not in order", plan => plan with { Blind = Blind("north", "east", "south") } },
        { "room for a control variate", plan => plan with { Blind =
            Blind("east", "north", "south"), Recipe = plan.Recipe with { Algorithm = new LocalAlgorithm.Scaffold() } } },
        { "encoding of its own", plan =>
            plan with { Blind = Blind("east", "north", "south"), Recipe = plan.Recipe with { UpdateEncoding = UpdateEncoding.I8 } } },
    };

    [Fact]
    public void Problems_BlindPlan_HasNone() =>
        Assert.Empty(PlanCheck.Problems(Plans.Good() with { Blind = Blind("east", "north", "south") }, Plans.Labels));

    private static BlindSpec Blind(params string[] sites) =>
        new() { Sites = [.. sites.Select(site => SiteId.Parse(site))], MaximumCases = 100, GridExponent = -15 };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Problems_BadPlan_SaysWhat(string problem, Func<RoundPlan, RoundPlan> change) =>
        Assert.Contains(PlanCheck.Problems(change(Plans.Good()), Plans.Labels), line => line.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Problems_SeveralMistakes_AreAllReported() =>
        Assert.Equal(2, PlanCheck.Problems(Plans.Good() with { HeldBackFraction = 0, Labels = ["kidney", "liver"] }, Plans.Labels).Count);

    public static TheoryData<string, Func<RoundPlan, RoundPlan>> RefusedFingerprints => new()
    {
        { "before the first round", plan => plan with { Round = 1 } },
        { "named already", plan => plan with { Architecture = Plans.Good().Architecture } },
        { "named already", plan => plan with { Preprocessing = Plans.Good().Preprocessing } },
        { "how the network is to be planned", plan => plan with { Planning = null } },
        { "single patients", plan => plan with { Planning = plan.Planning! with { LeastCases = 1 } } },
        { "unknown name", plan => plan with { Planning = plan.Planning! with { Configuration = "4d" } } },
        { "no model", plan => plan with { BaseModelBytes = 10 } },
        { "no model and no plan", plan => plan with { TrainingPlan = Sha256Digest.Of("plan"u8) } },
        {
            "does not begin with a fingerprint",
            plan => plan with { Recipe = plan.Recipe with { Privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 1, Delta = 1e-3, Epsilon = 8 } } }
        },
        { "the labels and the background", plan => plan with { Architecture = ArchitectureSpec.ToBePlanned(2) } },
        { "not MR or CT", plan => plan with { Preprocessing = PreprocessingSpec.ToBePlanned("US") } },
        { "not one of this site's", plan => plan with { Labels = ["kidney", "liver"] } },
        // To be planned is no network to train.
        { "not on the allow-list", plan => plan with { Task = RoundTask.Train, Round = 1 } },
    };

    [Fact]
    public void Problems_FingerprintPlan_HasNone() => Assert.Empty(PlanCheck.Problems(PlanCheck.TryRead(Fingerprint.ToBytes())!, Plans.Labels));

    [Theory]
    [MemberData(nameof(RefusedFingerprints))]
    public void Problems_BadFingerprintPlan_SaysWhat(string problem, Func<RoundPlan, RoundPlan> change) =>
        Assert.Contains(PlanCheck.Problems(change(Fingerprint), Plans.Labels), line => line.Contains(problem, StringComparison.Ordinal));

    [Fact]
    public void Problems_TrainingPlanThatAsksForPlanning_SaysSo() => Assert.Contains(
        "only a fingerprint round says how to plan", PlanCheck.Problems(Plans.Good() with { Planning = Fingerprint.Planning }, Plans.Labels));

    private static RoundPlan Fingerprint => Plans.Good() with
    {
        Task = RoundTask.Fingerprint,
        Round = 0,
        Architecture = ArchitectureSpec.ToBePlanned(3),
        Preprocessing = PreprocessingSpec.ToBePlanned("MR"),
        Planning = new PlanningSpec { Preset = PlannerPresetName.Plain, LeastCases = 5 },
        BaseModel = ModelRef.None.Sha256,
        BaseModelBytes = 0,
    };
}

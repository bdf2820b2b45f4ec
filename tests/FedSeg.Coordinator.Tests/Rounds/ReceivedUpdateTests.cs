using System.Text;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;
using FedSeg.Federation.Weights;

namespace FedSeg.Coordinator.Tests.Rounds;

public sealed class ReceivedUpdateTests : IDisposable
{
    private const long Limit = 1 << 20;
    private readonly CoordinatorOnDisk _coordinator = new();
    private readonly RoundPlan _plan;
    private readonly byte[] _weights;

    public ReceivedUpdateTests()
    {
        _plan = _coordinator.CreateAndOpen();
        _weights = SiteUpdate.Weights(_plan.Manifest(), 0.5f);
    }

    private static SiteId North => CoordinatorOnDisk.North;

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public void Check_GoodUpdate_IsAccepted() => Assert.Equal(UploadOutcome.Accepted, Check(Signed(Good().ToBytes())));

    [Fact]
    public void Check_GoodEvaluation_IsAcceptedWithoutWeights()
    {
        var plan = _plan with { Task = RoundTask.Evaluate };

        Assert.Equal(UploadOutcome.Accepted, Check(SiteUpdate.Of(plan, North, _coordinator.KeyOf(North)).Announced, plan));
    }

    [Fact]
    public void Check_EvaluationWithWeights_IsRefused()
    {
        var plan = _plan with { Task = RoundTask.Evaluate };
        var update = SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), SiteUpdate.Report(plan, North).ToBytes(), _weights);

        Assert.NotEqual(UploadOutcome.Accepted, Check(update.Announced, plan));
    }

    public static TheoryData<string, Func<SiteReport, SiteReport>> WrongReports => new()
    {
        { "plan", report => report with { Plan = Sha256Digest.Of("other"u8) } },
        { "task", report => report with { Task = RoundTask.Evaluate } },
        { "site", report => report with { Site = CoordinatorOnDisk.East } },
        { "negative training cases", report => report with { TrainingCases = -1 } },
        { "fewer cases than the plan's", report => report with { TrainingCases = 4 } },
        { "impossible training cases", report => report with { TrainingCases = 10_000_001 } },
        { "negative held-back cases", report => report with { HeldBackCases = -1 } },
        { "impossible held-back cases", report => report with { HeldBackCases = 10_000_001 } },
        { "more studies used than found", report => report with { Cohort = new CohortUse(Used: 3, Found: 2) } },
        { "negative studies", report => report with { Cohort = new CohortUse(Used: -1, Found: 2) } },
        { "impossible studies", report => report with { Cohort = new CohortUse(Used: 1, Found: 10_000_001) } },
        { "too few steps", report => report with { Steps = 2 } },
        { "too many steps", report => report with { Steps = 4 } },
        { "impossible loss", report => report with { MeanLoss = 1.1e6 } },
        { "loss better than perfect", report => report with { MeanLoss = -1.01 } },
        { "no loss", report => report with { MeanLoss = null } },
        { "label not in plan", report => report with { Scores = [new LabelScore("spleen", 0.5, 1)] } },
        { "label twice", report => report with { Scores = [new LabelScore("kidney", 0.5, 1), new LabelScore("kidney", 0.6, 1)] } },
        { "Dice above 1", report => report with { Scores = [new LabelScore("kidney", 1.01, 1)] } },
        { "Dice below 0", report => report with { Scores = [new LabelScore("kidney", -0.01, 1)] } },
        { "negative scored cases", report => report with { Scores = [new LabelScore("kidney", 0.5, -1)] } },
        { "score that is null", report => report with { Scores = [null!] } },
    };

    [Fact]
    public void Check_ReportOfAnotherRunRoundOrModel_IsToldWhichOfThem()
    {
        Assert.Equal(UploadOutcome.WrongRun, Check(Signed((Good() with { Run = RunId.Parse("run-other") }).ToBytes())));
        Assert.Equal(UploadOutcome.WrongRound, Check(Signed((Good() with { Round = 2 }).ToBytes())));
        Assert.Equal(UploadOutcome.WrongBase, Check(Signed((Good() with { BaseModel = Sha256Digest.Of("other"u8) }).ToBytes())));
    }

    [Theory]
    [MemberData(nameof(WrongReports))]
    public void Check_WrongReport_IsRefused(string what, Func<SiteReport, SiteReport> change)
    {
        Assert.NotEmpty(what);
        Assert.Equal(UploadOutcome.ReportRefused, Check(Signed(change(Good()).ToBytes())));
    }

    /// <summary>Whoever trains in private must not tell a loss, and who does not train has none.</summary>
    [Fact]
    public void Check_LossWhereNoneMayBe_IsRefused()
    {
        var quiet = _plan with { Recipe = _plan.Recipe with { Privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 1, PatchesPerPatient = 1, Delta = 1e-3, NoiseMultiplier = 1 } } };
        RoundPlan[] plans = [quiet, _plan with { Task = RoundTask.Evaluate }];
        foreach (var plan in plans)
        {
            UploadOutcome CheckWith(double? loss) =>
                Check(SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), (SiteUpdate.Report(plan, North) with { MeanLoss = loss }).ToBytes(), []).Announced, plan);

            Assert.Equal(UploadOutcome.ReportRefused, CheckWith(0.5));
            Assert.NotEqual(UploadOutcome.ReportRefused, CheckWith(null));
        }
    }

    [Fact]
    public void Check_EvaluationWithNegativeSteps_IsRefused()
    {
        var plan = _plan with { Task = RoundTask.Evaluate };
        var report = SiteUpdate.Report(plan, North) with { Steps = -1 };

        Assert.Equal(UploadOutcome.ReportRefused, Check(SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), report.ToBytes(), []).Announced, plan));
    }

    [Theory]
    [InlineData("\"round\":1", "\"round\":1,\"patient\":\"x\"")]
    [InlineData("\"round\":1", "\"round\":1,\"round\":1")]
    [InlineData("\"round\":1,", "")]
    [InlineData("\"round\":1", "\"round\":\"1\"")]
    [InlineData("\"meanLoss\":0.5", "\"meanLoss\":\"NaN\"")]
    [InlineData("{", "")]
    [InlineData("\"scores\":[", "\"scores\":null,\"x\":[")]
    public void Check_ReportThatIsNotStrictJson_IsRefused(string text, string replacement)
    {
        var json = Encoding.UTF8.GetString(Good().ToBytes());
        Assert.Contains(text, json);

        Assert.Equal(UploadOutcome.ReportRefused, Check(Signed(Encoding.UTF8.GetBytes(json.Replace(text, replacement)))));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(long.MaxValue / 2)]
    public void Check_AnotherLengthThanThePlans_IsRefused(long difference)
    {
        var good = Signed(Good().ToBytes());

        Assert.Equal(UploadOutcome.TooLarge, Check(good with { PayloadBytes = good.PayloadBytes + difference }));
    }

    [Fact]
    public void Check_ModelAboveTheLimit_IsRefused() =>
        Assert.Equal(UploadOutcome.TooLarge, ReceivedUpdate.Check(Signed(Good().ToBytes()), _plan, _coordinator.KeyOf(North), _weights.Length - 1).Outcome);

    [Fact]
    public void Check_LengthWithoutDigest_IsRefused() =>
        Assert.Equal(UploadOutcome.ReportRefused, Check(Signed(Good().ToBytes()) with { Payload = null }));

    [Fact]
    public void Check_DigestOfSomethingElse_IsRefused()
    {
        var other = Sha256Digest.Of("other"u8);
        var announced = Signed(Good().ToBytes()) with { Digest = other, Signature = _coordinator.KeyOf(North).SignHash(other.ToBytes()) };

        Assert.Equal(UploadOutcome.SignatureRefused, Check(announced));
    }

    [Fact]
    public void Check_SignedByAnotherKey_IsRefused()
    {
        var good = Signed(Good().ToBytes());

        Assert.Equal(UploadOutcome.SignatureRefused, Check(good with { Signature = _coordinator.KeyOf(CoordinatorOnDisk.East).SignHash(good.Digest.ToBytes()) }));
        Assert.Equal(UploadOutcome.SignatureRefused, Check(good with { Signature = [] }));
    }

    [Fact]
    public void CheckWeights_TensorOfAnotherName_IsRefused()
    {
        var tensors = _plan.Manifest().Tensors;
        Assert.Equal(UploadOutcome.TensorsRefused, CheckWeights(SiteUpdate.Weights(new TensorManifest([.. tensors[..^1], tensors[^1] with { Name = "hood.bias" }]), 0)));
    }

    [Fact]
    public void CheckWeights_ExtraTensor_IsRefused() =>
        Assert.Equal(UploadOutcome.TensorsRefused, CheckWeights(SiteUpdate.Weights(new TensorManifest([.. _plan.Manifest().Tensors, new TensorSpec("patients", [3])]), 0)));

    [Fact]
    public void CheckWeights_Metadata_IsRefused() =>
        Assert.Equal(UploadOutcome.TensorsRefused, CheckWeights(SiteUpdate.Weights(_plan.Manifest(), 0, new Dictionary<string, string> { ["note"] = "x" })));

    [Fact]
    public void CheckWeights_BytesThatAreNoSafetensors_AreRefused() => Assert.Equal(UploadOutcome.TensorsRefused, CheckWeights(new byte[100]));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void CheckWeights_OneWeightThatIsNotFinite_IsRefused(float bad)
    {
        var weights = _weights.ToArray();
        BitConverter.TryWriteBytes(weights.AsSpan(^4..), bad);

        Assert.Equal(UploadOutcome.NotFinite, CheckWeights(weights));
    }

    [Fact]
    public void CheckWeights_HalfThatIsNotFinite_IsRefused()
    {
        var plan = _plan with { Recipe = _plan.Recipe with { UpdateEncoding = UpdateEncoding.F16 } };
        var weights = SiteUpdate.Weights(plan, 0.5f);
        var steps = plan.Manifest().Tensors.Length * sizeof(float);
        BitConverter.TryWriteBytes(weights.AsSpan(^(steps + 2)..), Half.PositiveInfinity);

        Assert.Equal(UploadOutcome.NotFinite, CheckWeights(weights, plan));
    }

    [Fact]
    public void CheckWeights_OtherEncodingThanThePlans_IsRefused() =>
        Assert.Equal(UploadOutcome.TensorsRefused, CheckWeights(_weights, _plan with { Recipe = _plan.Recipe with { UpdateEncoding = UpdateEncoding.I16 } }));

    [Theory]
    [InlineData(0, UploadOutcome.Accepted)]
    [InlineData(1, UploadOutcome.TensorsRefused)]
    [InlineData(-1, UploadOutcome.TensorsRefused)]
    [InlineData(1 << 30, UploadOutcome.TensorsRefused)]
    public void CheckWeights_SparseUpdate_NeedsAscendingPlaces(int shift, UploadOutcome outcome)
    {
        var plan = _plan with { Recipe = _plan.Recipe with { UpdateEncoding = UpdateEncoding.Top10 } };
        Assert.Equal(outcome, CheckWeights(SiteUpdate.Sparse(plan, firstPlace: shift), plan));
        Assert.Equal(outcome == UploadOutcome.Accepted ? UploadOutcome.NotFinite : outcome,
            CheckWeights(SiteUpdate.Sparse(plan, shift, float.NaN), plan));
    }

    [Fact]
    public void CheckWeights_ExactTensors_AreAccepted() => Assert.Equal(UploadOutcome.Accepted, CheckWeights(_weights));

    public static TheoryData<string, Func<SiteReport, SiteReport>> WrongFingerprints => new()
    {
        { "none", report => report with { Fingerprint = null } },
        { "impossible", report => report with { Fingerprint = report.Fingerprint! with { Cases = 1 } } },
        { "smaller counts than asked for", report => report with { Fingerprint = Fingerprint(leastCases: 4) } },
        { "another modality", report => report with { Fingerprint = Fingerprint(modality: "CT") } },
        { "other labels", report => report with { Fingerprint = report.Fingerprint! with { Labels = ["spleen"] } } },
    };

    [Fact]
    public void Check_GoodFingerprint_IsAccepted() => Assert.Equal(UploadOutcome.Accepted, CheckFingerprint(report => report));

    [Theory]
    [MemberData(nameof(WrongFingerprints))]
    public void Check_WrongFingerprint_IsRefused(string what, Func<SiteReport, SiteReport> change)
    {
        Assert.NotEmpty(what);
        Assert.Equal(UploadOutcome.ReportRefused, CheckFingerprint(change));
    }

    [Fact]
    public void Check_FingerprintInATrainingRound_IsRefused() =>
        Assert.Equal(UploadOutcome.ReportRefused, Check(Signed((Good() with { Fingerprint = Fingerprint() }).ToBytes())));

    private UploadOutcome CheckFingerprint(Func<SiteReport, SiteReport> change)
    {
        var plan = _plan with
        {
            Task = RoundTask.Fingerprint,
            Round = 0,
            Preprocessing = PreprocessingSpec.ToBePlanned("MR"),
            Planning = new PlanningSpec { Preset = PlannerPresetName.Plain, LeastCases = 5 },
        };
        var report = change(SiteReport.Of(plan, North, Fingerprint()));
        return Check(SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), report.ToBytes(), []).Announced, plan);
    }

    private static SiteFingerprint Fingerprint(int leastCases = 5, string modality = "MR")
    {
        var builder = new FingerprintBuilder(modality, ["kidney", "tumour"]);
        for (var i = 0; i < 6; i++) builder.Add($"p{i}", [1, 1, 1], [40, 64, 64], 1, [0.5]);
        return builder.Seal(leastCases)!;
    }

    private SiteReport Good() => SiteUpdate.Report(_plan, North);

    private UploadAnnouncement Signed(byte[] report) => SiteUpdate.Of(_plan, North, _coordinator.KeyOf(North), report, _weights).Announced;

    private UploadOutcome Check(UploadAnnouncement announced, RoundPlan? plan = null)
    {
        var (update, outcome) = ReceivedUpdate.Check(announced, plan ?? _plan, _coordinator.KeyOf(North), Limit);
        Assert.Equal(outcome == UploadOutcome.Accepted, update is not null);
        return outcome;
    }

    /// <summary>Announces weights of the right length and then checks whatever bytes came under that digest.</summary>
    private UploadOutcome CheckWeights(byte[] bytes) => CheckWeights(bytes, _plan);

    private UploadOutcome CheckWeights(byte[] bytes, RoundPlan plan)
    {
        var report = SiteUpdate.Report(plan, North).ToBytes();
        var announced = SiteUpdate.Of(plan, North, _coordinator.KeyOf(North), report, bytes).Announced with { PayloadBytes = plan.UpdateBytes() };
        var path = Path.Combine(_coordinator.Root, "weights");
        File.WriteAllBytes(path, bytes);
        return ReceivedUpdate.Check(announced, plan, _coordinator.KeyOf(North), Limit).Update!.CheckWeights(path);
    }
}

using FedSeg.Egress.Plans;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Egress.Tests.Review;
using FedSeg.Federation.Architectures;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Planning;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Tests;

/// <summary>A fingerprint passes the same gate as an update.</summary>
public sealed class FingerprintTests : IDisposable
{
    private const string Bounds = "maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\n";
    private static readonly SiteId North = SiteId.Parse("north");
    private readonly HospitalOnDisk _hospital = new();

    public FingerprintTests()
    {
        _hospital.Plan = NewPlan();
        _hospital.Report = SiteReport.Of(_hospital.Plan, North, Fingerprint(leastCases: 2));
    }

    public static RoundPlan NewPlan() => HospitalOnDisk.NewPlan(RoundTask.Fingerprint) with
    {
        Round = 0,
        Architecture = ArchitectureSpec.ToBePlanned(3),
        Preprocessing = PreprocessingSpec.ToBePlanned("MR"),
        Planning = new PlanningSpec { Preset = PlannerPresetName.Plain, LeastCases = 2 },
        BaseModel = ModelRef.None.Sha256,
        BaseModelBytes = 0,
    };

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Clear_CountsBelowThePolicys_AreLeftOutWhateverTheTrainerLeftIn()
    {
        var sent = SiteReport.FromBytes((await _hospital.ClearedAsync()).ReportBytes.Span).Fingerprint!;

        // Three of twelve patients have slices of 2 mm; the site's policy tells no count below 5, nor lets it be found by subtraction.
        Assert.Equal(12, Assert.Single(sent.SpacingMm[0].Filled).Patients);
        Assert.Equal(0, sent.SpacingMm[0].SuppressedWeight);
        Assert.Equal(5, sent.LeastCases);
        Assert.Equal(["egressRequested", "egressDecided"], _hospital.Actions);
        Assert.Contains("12 cases, smallest count 12", _hospital.Entries[0].Facts["rule.smallCountsLeftOut"]);
    }

    [Theory]
    [InlineData(0.1234567, 83.45678)]
    [InlineData(1040.4711, 9.87654)]
    [InlineData(-3.3333333, 0.012345678)]
    public async Task Clear_Moments_TellNoMoreThanPlanningNeeds(double middle, double spread)
    {
        _hospital.Plan = _hospital.Plan with { Preprocessing = PreprocessingSpec.ToBePlanned("CT") };
        var builder = new FingerprintBuilder("CT", ["anterior", "posterior"]);
        for (var i = 0; i < 12; i++) builder.Add($"p{i}", [1, 1, 1], [36, 50, 35], 1, [middle - spread, middle + spread]);
        var measured = builder.Seal(2)!;
        _hospital.Report = SiteReport.Of(_hospital.Plan, North, measured);
        var sent = SiteReport.FromBytes((await _hospital.ClearedAsync()).ReportBytes.Span).Fingerprint!.IntensityMoments;

        Assert.Equal(measured.IntensityMoments.Weight, sent.Weight);
        Assert.Equal(middle, sent.Mean(), spread / 100);
        Assert.Equal(spread, sent.Deviation(), spread / 100);
        // Three digits of the deviation, and the mean to the same place.
        var step = Math.Pow(10, Math.Floor(Math.Log10(spread)) - 2);
        foreach (var told in new[] { sent.Mean(), sent.Deviation() }) Assert.Equal(Math.Round(told / step), told / step, 1e-3);
        Assert.NotEqual(measured.IntensityMoments.Sum, sent.Sum);
    }

    [Fact]
    public async Task Clear_FewerCasesThanThePolicyTells_IsRefused()
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "minimumReportedCount: 20\n");

        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report;

        Assert.Equal([EgressRule.SmallCountsLeftOut], refused.Rules.Where(rule => !rule.Passed).Select(rule => rule.Rule));
    }

    public static TheoryData<string, Func<SiteReport, SiteReport>> Bad => new()
    {
        { "missing", report => report with { Fingerprint = null } },
        { "impossible", report => report with { Fingerprint = report.Fingerprint! with { Cases = 1 } } },
        { "another modality", report => report with { Fingerprint = Fingerprint(2, "CT") } },
        { "other labels", report => report with { Fingerprint = report.Fingerprint! with { Labels = ["anterior", "Mueller"] } } },
        { "claims to have trained", report => report with { Steps = 3 } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Clear_BadFingerprint_IsRefusedInTheGatesOwnWords(string why, Func<SiteReport, SiteReport> change)
    {
        _hospital.Report = change(_hospital.Report);

        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report;

        var measured = refused.Rules.Single(rule => rule.Rule == EgressRule.ReportWithinPlan).Measured;
        Assert.Contains(why, measured);
        Assert.DoesNotContain("Mueller", measured);
    }

    [Fact]
    public async Task Clear_FingerprintInATrainingRound_IsRefused()
    {
        _hospital.Plan = HospitalOnDisk.NewPlan(RoundTask.Train);
        _hospital.AnswerPlan();
        _hospital.Report = _hospital.Report with { Fingerprint = Fingerprint(2) };

        Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
    }

    [Fact]
    public async Task Clear_CohortWithAPrivacyBudget_TellsNoCounts()
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "privacyBudget: { cohort: hippocampus, maximumEpsilon: 8, delta: 0.00001 }\n");

        var refused = Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report;

        Assert.Equal([EgressRule.PrivacyWithinBudget], refused.Rules.Where(rule => !rule.Passed).Select(rule => rule.Rule));
    }

    [Fact]
    public async Task Clear_FirstRoundAfterAnApprovedFingerprint_StillWaitsForAPerson()
    {
        _hospital.WritePolicy(Bounds + "review: first-round\n");
        DeskAccountFile.Write(_hospital.DeskPath, ("anna", DeskRole.PrivacyOfficer));
        var waiting = Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
        Assert.IsType<OrderOutcome.Obeyed>(await _hospital.Gate.Desk.ObeyAsync(new DeskOrder.Approve { Id = new string('1', 32), By = "anna", At = _hospital.Time.GetUtcNow(), Update = waiting.Update }));
        _hospital.Plan = HospitalOnDisk.NewPlan(RoundTask.Train);
        _hospital.AnswerPlan();

        Assert.IsType<EgressOutcome.Waiting>(await _hospital.ClearAsync());
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(", fingerprints: true", true)]
    public async Task ApprovePlan_StandingApproval_CoversFingerprintsOnlyWhereItSaysSo(string flag, bool approved)
    {
        _hospital.WritePolicy($"{Bounds}plansWithin: {{ maximumRounds: 5, maximumStepsPerRound: 20, maximumParameters: 100000{flag} }}\n");

        Assert.Equal(approved, await _hospital.ApprovePlanAsync(_hospital.Plan) is PlanOutcome.Approved);
    }

    [Fact]
    public void Terms_NetworkPlannedFromIt_AreOthers()
    {
        var planned = HospitalOnDisk.NewPlan(RoundTask.Train) with { Round = 1, TrainingPlan = Sha256Digest.Of("plan"u8) };

        Assert.NotEqual(RunTerms.HashOf(_hospital.Plan), RunTerms.HashOf(planned));
        Assert.NotEqual(RunTerms.HashOf(planned), RunTerms.HashOf(planned with { TrainingPlan = Sha256Digest.Of("another"u8) }));
        Assert.Contains("Nothing is trained.", string.Join(' ', PlanExplanation.Of(_hospital.Plan)));
    }

    private static SiteFingerprint Fingerprint(int leastCases, string modality = "MR")
    {
        var builder = new FingerprintBuilder(modality, ["anterior", "posterior"]);
        for (var i = 0; i < 12; i++) builder.Add($"p{i}", [i < 9 ? 1 : 2, 1, 1], [36, 50, 35], 1, [0.5, 1]);
        return builder.Seal(leastCases)!;
    }
}

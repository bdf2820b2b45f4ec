using FedSeg.Egress.Policy;
using FedSeg.Federation.Rounds;

namespace FedSeg.Egress.Tests.Policy;

public sealed class EgressRulesTests : IDisposable
{
    private readonly HospitalOnDisk _hospital = new();

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Clear_GoodUpdate_PassesEveryRule()
    {
        var cleared = Assert.IsType<EgressOutcome.Cleared>(await _hospital.ClearAsync());

        Assert.Equal(Enum.GetValues<EgressRule>(), cleared.Report.Rules.Select(rule => rule.Rule));
        Assert.All(cleared.Report.Rules, rule => Assert.True(rule.Passed));
    }

    [Fact]
    public async Task Clear_NormAboveBound_FailsThatRuleAlone()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1\nreview: auto-within-bounds\n");
        var failed = await OnlyFailureAsync();

        // Every one of the n changes is 0.5, so the norm is 0.5 √n.
        Assert.Equal(EgressRule.NormWithinBound, failed.Rule);
        Assert.Equal(0.5 * Math.Sqrt(_hospital.Plan.Manifest().ParameterCount), double.Parse(failed.Measured), 1e-9);
    }

    [Fact]
    public async Task Clear_FileAboveBound_FailsThatRuleAlone()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000\nrunsWithoutCharter: true\nmaximumNorm: 100\nreview: auto-within-bounds\n");
        var failed = await OnlyFailureAsync();

        Assert.Equal(EgressRule.SizeWithinBound, failed.Rule);
        Assert.Equal(new FileInfo(_hospital.DeltaPath).Length, long.Parse(failed.Measured));
    }

    [Fact]
    public async Task Clear_TooFewCases_FailsThatRuleAlone()
    {
        _hospital.Report = _hospital.Report with { TrainingCases = 9 };

        Assert.Equal(new RuleResult(EgressRule.EnoughCases, false, "9", "at least 10"), await OnlyFailureAsync());
    }

    [Fact]
    public async Task Clear_NormFarFromTheRunsLastUpdates_FailsThatRuleAlone()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\nmaximumNormDeviation: 8\nreview: auto-within-bounds\n");
        foreach (var value in new[] { 0.50f, 0.49f, 0.51f, 0.52f, 0.48f, 0.5f })
        {
            _hospital.WriteDelta(value);
            await _hospital.ClearedAsync();
        }

        // As after a crash: the history is in the ledger.
        _hospital.Restart();
        _hospital.WriteDelta(0.75f);
        var failed = await OnlyFailureAsync();
        Assert.Equal(EgressRule.NormWithinHistory, failed.Rule);
        // Median 0.5, spread at least 5 % of it: (0.75 - 0.5) / 0.025.
        Assert.Equal(10, double.Parse(failed.Measured), 0.5);

        _hospital.WriteDelta(0.6f);
        await _hospital.ClearedAsync();
    }

    [Fact]
    public async Task Clear_MoreUpdatesThanADayMayHave_FailsThatRuleAloneUntilTheDayIsOver()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\nmaximumUpdatesPerDay: 2\nreview: auto-within-bounds\n");
        await _hospital.ClearedAsync();
        await _hospital.ClearedAsync();
        _hospital.Restart();
        Assert.Equal(EgressRule.DayWithinBounds, (await OnlyFailureAsync()).Rule);

        _hospital.Time.Advance(TimeSpan.FromDays(1));
        await _hospital.ClearedAsync();
    }

    [Fact]
    public async Task Clear_MoreBytesThanADayMayHave_FailsThatRuleAlone()
    {
        var bytes = new FileInfo(_hospital.DeltaPath).Length;
        _hospital.WritePolicy($"maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1000\nmaximumBytesPerDay: {bytes * 2 - 1}\nreview: auto-within-bounds\n");
        await _hospital.ClearedAsync();

        Assert.Equal(EgressRule.DayWithinBounds, (await OnlyFailureAsync()).Rule);
    }

    [Theory]
    [InlineData(1f, 0.5, true)]
    [InlineData(1f, 0.49, false)]
    [InlineData(0.5f, 1, true)]
    public async Task Clear_TensorsChangeOverTheModels_IsHeldAgainstTheRatio(float model, double bound, bool passes)
    {
        _hospital.WritePolicy(FormattableString.Invariant($"maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nmaximumTensorRatio: {bound}\nreview: auto-within-bounds\n"));
        _hospital.WriteBaseModel(model);
        var outcome = await _hospital.ClearAsync();

        if (passes) Assert.IsType<EgressOutcome.Cleared>(outcome);
        else Assert.Equal(EgressRule.TensorsWithinRatio, Assert.Single(Assert.IsType<EgressOutcome.Refused>(outcome).Report.Rules, rule => !rule.Passed).Rule);
    }

    [Theory]
    [InlineData("", 0.5, true)]
    [InlineData("", 0.501, false)]
    [InlineData("", double.NaN, false)]
    [InlineData("", -1.0, false)]
    [InlineData("maximumImageSimilarity: 0.2\n", 0.21, false)]
    [InlineData("maximumImageSimilarity: 1\n", 0.99, true)]
    public async Task Clear_UpdateThatLooksLikeAnImage_FailsThatRuleAlone(string bound, double similarity, bool passes)
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + bound);
        _hospital.Similarity = similarity;

        if (passes) await _hospital.ClearedAsync();
        else Assert.Equal(EgressRule.UnlikeImages, (await OnlyFailureAsync()).Rule);
    }

    [Fact]
    public async Task Clear_LikenessNotMeasured_DoesNotPass()
    {
        _hospital.Similarity = null;

        Assert.Equal(new RuleResult(EgressRule.UnlikeImages, false, "could not be measured", "cosine at most 0.5 with any piece of an image"), await OnlyFailureAsync());
    }

    [Fact]
    public async Task Clear_LikenessOfAnotherFile_DoesNotPass()
    {
        var outcome = await _hospital.ClearAsync(measured: Federation.Identity.Sha256Digest.Of("another update"u8));

        Assert.Equal(EgressRule.UnlikeImages, Assert.Single(Assert.IsType<EgressOutcome.Refused>(outcome).Report.Rules, rule => !rule.Passed).Rule);
    }

    [Theory]
    [InlineData(1.0, 1, false)] // tighter: counts
    [InlineData(1000.0, 1, true)] // wider than the site's: counts nothing
    [InlineData(1000.0, 41, false)]
    public async Task Clear_JobsOwnBounds_CountWhereTheyAreTighter(double norm, int cases, bool passes)
    {
        _hospital.Plan = _hospital.Plan with { Egress = new EgressBounds { MaximumNorm = norm, MinimumTrainingCases = cases } };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);

        Assert.Equal(passes, await _hospital.ClearAsync() is EgressOutcome.Cleared);
    }

    [Fact]
    public async Task Clear_JobsWiderBounds_CanNotWidenTheSites()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 1\nreview: auto-within-bounds\n");
        _hospital.Plan = _hospital.Plan with { Egress = new EgressBounds { MaximumNorm = 1e9 } };
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);

        Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
    }

    [Fact]
    public async Task Clear_RatioBoundAndNoBaseModel_DoesNotPass()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nmaximumTensorRatio: 2\nreview: auto-within-bounds\n");

        Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public async Task Clear_WeightNotFinite_FailsAndTheNormCannotPass(float value)
    {
        _hospital.WriteDelta(value);

        Assert.Equal([EgressRule.FiniteValues, EgressRule.NormWithinBound], (await FailuresAsync()).Select(rule => rule.Rule));
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public async Task Clear_SubnormalWeights_AreFewOrFailThatRuleAlone(int count, bool passes)
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "requantisation: off\n");
        _hospital.WriteDelta((_, i) => i < count ? 1e-40f : 0.25f, only: "encoder.0.0.conv.weight");

        if (passes) await _hospital.ClearedAsync();
        else Assert.Equal(new RuleResult(EgressRule.FewSubnormals, false, "17", "at most 16"), await OnlyFailureAsync());
    }

    [Fact]
    public async Task Clear_SubnormalWeightsBesideOthers_AreGoneOnTheGrid()
    {
        _hospital.WriteDelta((_, i) => i < 40 ? 1e-40f : 0.25f, only: "encoder.0.0.conv.weight");

        await _hospital.ClearedAsync();
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(2, false)]
    public async Task Clear_LossAndScores_AreAsManyAsThePolicyLetsOrFailThatRuleAlone(int allowed, bool passes)
    {
        _hospital.WritePolicy($"{HospitalOnDisk.ValidPolicy}maximumMetrics: {allowed}\n");

        if (passes) await _hospital.ClearedAsync();
        else Assert.Equal(new RuleResult(EgressRule.MetricsWithinBound, false, "3", "at most 2"), await OnlyFailureAsync());
    }

    [Fact]
    public async Task Clear_WeightAtTheEdgeOfFloat_HasANorm()
    {
        _hospital.WritePolicy(HospitalOnDisk.ValidPolicy + "requantisation: off\n");
        _hospital.WriteDelta(float.MaxValue);
        var failed = await OnlyFailureAsync();

        Assert.Equal(EgressRule.NormWithinBound, failed.Rule);
        Assert.True(double.IsFinite(double.Parse(failed.Measured)));
    }

    [Fact]
    public async Task Clear_SeveralRulesBroken_ReportsAllOfThem()
    {
        _hospital.WritePolicy("maximumUpdateBytes: 1000\nrunsWithoutCharter: true\nmaximumNorm: 1\nreview: auto-within-bounds\n");
        _hospital.Report = _hospital.Report with { TrainingCases = 2, MeanLoss = null };
        var failures = await FailuresAsync();

        EgressRule[] broken =
        [
            EgressRule.ReportWithinPlan, EgressRule.SizeWithinBound, EgressRule.NormWithinBound, EgressRule.MetricsWithinBound, EgressRule.EnoughCases,
        ];
        Assert.Equal(broken, failures.Select(rule => rule.Rule));
    }

    [Fact]
    public async Task Clear_Evaluation_NeedsNoTrainingCases()
    {
        _hospital.Plan = HospitalOnDisk.NewPlan(RoundTask.Evaluate);
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);

        Assert.Null((await _hospital.ClearedAsync()).PayloadSha256);
    }

    [Fact]
    public async Task Clear_EvaluationWithWeights_IsRefused()
    {
        _hospital.Plan = HospitalOnDisk.NewPlan(RoundTask.Evaluate);
        _hospital.Report = HospitalOnDisk.GoodReport(_hospital.Plan);
        var outcome = await _hospital.Gate.ClearAsync(_hospital.Plan, new ModelUpdate(_hospital.Report, _hospital.DeltaPath), HospitalOnDisk.Token);

        Assert.Contains(Assert.IsType<EgressOutcome.Refused>(outcome).Report.Rules, rule => rule is { Rule: EgressRule.OnlyDeclaredTensors, Passed: false });
    }

    [Theory]
    [InlineData("maximumNorm: 1\nreview: auto-within-bounds\n")]
    [InlineData("maximumUpdateBytes: 1000000\nrunsWithoutCharter: true\nmaximumNorm: 100\nmaximumNrom: 1\n")]
    [InlineData(null)]
    public async Task Clear_NoValidPolicy_IsRefused(string? policy)
    {
        if (policy is null) File.Delete(_hospital.PolicyPath);
        else _hospital.WritePolicy(policy);

        Assert.Equal(EgressRule.PolicyInForce, (await OnlyFailureAsync()).Rule);
        Assert.Equal(["egressRequested", "egressDecided"], _hospital.Actions);
    }

    private async Task<RuleResult> OnlyFailureAsync() => Assert.Single(await FailuresAsync());

    private async Task<RuleResult[]> FailuresAsync() =>
        [.. Assert.IsType<EgressOutcome.Refused>(await _hospital.ClearAsync()).Report.Rules.Where(rule => !rule.Passed)];
}

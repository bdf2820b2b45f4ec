using System.Text;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Sealing;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Training;

namespace FedSeg.Egress.Tests.Sealing;

public sealed class ReportSanitiserTests
{
    private static readonly RoundPlan Plan = HospitalOnDisk.NewPlan(RoundTask.Train);
    private static readonly EgressPolicy Policy = Assert.IsType<EgressPolicyResult.Valid>(EgressPolicyFile.Parse(Encoding.UTF8.GetBytes(HospitalOnDisk.ValidPolicy))).Policy;
    private static readonly SiteReport Good = HospitalOnDisk.GoodReport(Plan);

    [Fact]
    public void Sanitise_Metrics_HaveThreeSignificantDigits()
    {
        var report = Sanitise(Good);

        Assert.Equal(0.123, report.MeanLoss);
        Assert.Equal([0.877, 0.81], report.Scores.Select(score => score.MeanDice));
    }

    [Theory]
    [InlineData(1234.5, 1230)]
    [InlineData(0.00012345, 0.000123)]
    [InlineData(-0.98765, -0.988)]
    [InlineData(0, 0)]
    public void Sanitise_Loss_IsRoundedAtAnyScale(double loss, double expected) => Assert.Equal(expected, Sanitise(Good with { MeanLoss = loss }).MeanLoss);

    [Fact]
    public void Sanitise_FewHeldBackCases_LeavesTheScoresOut() =>
        Assert.Empty(Sanitise(Good with { HeldBackCases = 4, Scores = [new LabelScore("anterior", 0.9, 4), new LabelScore("posterior", 0.8, 4)] }).Scores);

    [Fact]
    public void Sanitise_FewCasesBehindOneLabel_LeavesThatScoreOut() => Assert.Equal(
        [new LabelScore("anterior", 0.9, 10), new LabelScore("posterior", null, 0)],
        Sanitise(Good with { Scores = [new LabelScore("anterior", 0.9, 10), new LabelScore("posterior", 0.8, 4)] }).Scores);

    [Theory]
    [InlineData(50, 50, true)]
    [InlineData(50, 51, false)]
    [InlineData(50, 54, false)]
    [InlineData(50, 55, true)]
    [InlineData(4, 60, false)]
    [InlineData(5, 60, true)]
    public void Sanitise_StudiesUsed_AreToldUnlessTheyTellOnFew(int used, int found, bool told)
    {
        var cohort = new CohortUse(used, found);

        Assert.Equal(told ? cohort : null, Sanitise(Good with { Cohort = cohort }).Cohort);
    }

    [Theory]
    [InlineData(4, 0)] // below the policy's least
    [InlineData(5, 5)]
    [InlineData(7, 5)]
    [InlineData(8, 10)]
    [InlineData(52, 50)]
    public void Sanitise_HeldBackCases_AreToldInFivesAndFewNotAtAll(int cases, int told) =>
        Assert.Equal(told, Sanitise(Good with { HeldBackCases = cases, Scores = [] }).HeldBackCases);

    [Fact]
    public void Sanitise_SmallCountsThatThePolicyTells_AreToldAsTheyAre()
    {
        var report = Good with { HeldBackCases = 3, Scores = [new LabelScore("anterior", 0.9, 3), new LabelScore("posterior", 0.8, 1)] };
        var told = ReportSanitiser.Sanitise(report, Plan, report.Site, Policy with { MinimumHeldBackCases = 2 });

        Assert.Equal((3, 3, 0), (told.HeldBackCases, told.Scores[0].Cases, told.Scores[1].Cases));
    }

    [Fact]
    public void Sanitise_CountsOfStudiesAndScores_AreToldInFives()
    {
        var report = Sanitise(Good with { Cohort = new CohortUse(Used: 47, Found: 53), Scores = [new LabelScore("anterior", 0.9, 8), new LabelScore("posterior", 0.8, 6)] });

        Assert.Equal(new CohortUse(45, 55), report.Cohort);
        Assert.Equal([10, 5], report.Scores.Select(score => score.Cases));
        // The weight in the average is what was trained on.
        Assert.Equal(Good.TrainingCases, report.TrainingCases);
    }

    [Fact]
    public void Problem_PrivateTraining_MustNotTellItsLoss()
    {
        var privacy = new PatientPrivacy { ClippingNorm = 1, ExpectedBatch = 4, PatchesPerPatient = 2, Delta = 1e-5, Epsilon = 8 };
        var plan = Plan with { Recipe = Plan.Recipe with { Privacy = privacy } };
        var report = HospitalOnDisk.GoodReport(plan);

        Assert.Contains("loss", ReportSanitiser.Problem(report, plan, report.Site));
        Assert.Null(ReportSanitiser.Problem(report with { MeanLoss = null }, plan, report.Site));
    }

    [Fact]
    public void Problem_GoodReport_IsNone() => Assert.Null(ReportSanitiser.Problem(Good, Plan, Good.Site));

    public static TheoryData<string, SiteReport> Impossible => new()
    {
        { "other run", Good with { Run = RunId.Parse("run-2") } },
        { "other round", Good with { Round = 2 } },
        { "other task", Good with { Task = RoundTask.Evaluate } },
        { "other plan", Good with { Plan = Sha256Digest.Of("x"u8) } },
        { "other base", Good with { BaseModel = Sha256Digest.Of("x"u8) } },
        { "other site", Good with { Site = SiteId.Parse("south") } },
        { "patient's name as label", Good with { Scores = [new LabelScore("DOE^JANE", 0.9, 10), new LabelScore("posterior", 0.8, 10)] } },
        { "labels in other order", Good with { Scores = [new LabelScore("posterior", 0.9, 10), new LabelScore("anterior", 0.8, 10)] } },
        { "label missing", Good with { Scores = [new LabelScore("anterior", 0.9, 10)] } },
        { "Dice above one", Good with { Scores = [new LabelScore("anterior", 1.01, 10), new LabelScore("posterior", 0.8, 10)] } },
        { "Dice NaN", Good with { Scores = [new LabelScore("anterior", double.NaN, 10), new LabelScore("posterior", 0.8, 10)] } },
        { "more scored than held back", Good with { Scores = [new LabelScore("anterior", 0.9, 11), new LabelScore("posterior", 0.8, 10)] } },
        { "negative scored", Good with { Scores = [new LabelScore("anterior", 0.9, -1), new LabelScore("posterior", 0.8, 10)] } },
        { "more studies used than found", Good with { Cohort = new CohortUse(Used: 51, Found: 50) } },
        { "negative studies", Good with { Cohort = new CohortUse(Used: -1, Found: 50) } },
        { "impossible studies", Good with { Cohort = new CohortUse(Used: 50, Found: 10_000_001) } },
        { "negative held back", Good with { HeldBackCases = -1, Scores = [] } },
        { "negative cases", Good with { TrainingCases = -1 } },
        { "absurd cases", Good with { TrainingCases = int.MaxValue } },
        { "no steps", Good with { Steps = 0 } },
        { "more steps than planned", Good with { Steps = 21 } },
        { "no loss", Good with { MeanLoss = null } },
        { "loss NaN", Good with { MeanLoss = double.NaN } },
        { "loss better than perfect", Good with { MeanLoss = -1.01 } },
        { "loss infinite", Good with { MeanLoss = double.PositiveInfinity } },
    };

    [Theory]
    [MemberData(nameof(Impossible), DisableDiscoveryEnumeration = true)]
    public void Problem_ImpossibleReport_IsNamedWithoutQuotingIt(string why, SiteReport report)
    {
        var problem = ReportSanitiser.Problem(report, Plan, Good.Site);

        Assert.True(problem is not null, why);
        Assert.DoesNotContain("DOE", problem, StringComparison.Ordinal);
    }

    private static SiteReport Sanitise(SiteReport report)
    {
        Assert.Null(ReportSanitiser.Problem(report, Plan, report.Site));
        return ReportSanitiser.Sanitise(report, Plan, report.Site, Policy);
    }
}

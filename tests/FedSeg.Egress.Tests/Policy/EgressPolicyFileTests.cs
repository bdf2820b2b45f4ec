using System.Text;
using System.Text.Json;
using FedSeg.Egress.Policy;
using FedSeg.Egress.Sealing;

namespace FedSeg.Egress.Tests.Policy;

public sealed class EgressPolicyFileTests
{
    [Fact]
    public void Parse_RequiredKeysOnly_HasTheDefaults()
    {
        var policy = Assert.IsType<EgressPolicyResult.Valid>(Parse("maximumUpdateBytes: 1000\nmaximumNorm: 2.5\n")).Policy;

        Assert.Equal(
            (1000, 2.5, 10, 5, 5),
            (policy.MaximumUpdateBytes, policy.MaximumNorm, policy.MinimumTrainingCases, policy.MinimumHeldBackCases, policy.MinimumReportedCount));
        // Who says nothing gets the careful answer.
        Assert.Equal((Requantisation.Bits16, 50, TimeSpan.FromDays(30)), (policy.Requantisation, policy.MaximumMetrics, policy.ApprovalTime));
    }

    [Fact]
    public void Parse_SeveralMistakes_AreAllListedWithTheirLines()
    {
        var problems = Assert.IsType<EgressPolicyResult.Invalid>(Parse("maximumUpdateBytes: many\nmaximumNrom: 3\nminimumTrainingCases: 0\n")).Problems;

        Assert.Contains(problems, problem => problem.Line == 1 && problem.Message.Contains("maximumUpdateBytes", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Line == 2 && problem.Message.Contains("maximumNrom: unknown key", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Line == 3 && problem.Message.Contains("minimumTrainingCases", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Message.Contains("maximumNorm: missing", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("maximumNorm: .inf")]
    [InlineData("maximumNorm: NaN")]
    [InlineData("maximumNorm: 0")]
    [InlineData("maximumNorm: -1")]
    public void Parse_NormThatBoundsNothing_IsRefused(string line) =>
        Assert.IsType<EgressPolicyResult.Invalid>(Parse("maximumUpdateBytes: 1000\n" + line));

    [Theory]
    [InlineData("")]
    [InlineData("- a list")]
    [InlineData("a: [")]
    [InlineData("maximumNorm: 1\nmaximumNorm: 2\nmaximumUpdateBytes: 1")]
    public void Parse_NoMapping_IsRefused(string yaml) => Assert.IsType<EgressPolicyResult.Invalid>(Parse(yaml));

    [Fact]
    public void Read_NoFile_IsRefusedAndSaysWhatToDo()
    {
        var invalid = Assert.IsType<EgressPolicyResult.Invalid>(EgressPolicyFile.Read("/nowhere/egress.yaml"));

        Assert.Contains("/nowhere/egress.yaml", Assert.Single(invalid.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_EveryKey_IsRead()
    {
        var policy = Assert.IsType<EgressPolicyResult.Valid>(Parse(
            "maximumUpdateBytes: 1\nmaximumNorm: 1\nminimumTrainingCases: 2\nminimumHeldBackCases: 3\nrequantisation: bits8\nmaximumNormDeviation: 4.5\nmaximumUpdatesPerDay: 6\nmaximumBytesPerDay: 7\n")).Policy;

        Assert.Equal((2, 3, Requantisation.Bits8, 4.5, 6, 7L), (policy.MinimumTrainingCases, policy.MinimumHeldBackCases, policy.Requantisation, policy.MaximumNormDeviation, policy.MaximumUpdatesPerDay, policy.MaximumBytesPerDay));
    }

    [Theory]
    [InlineData("", ReviewMode.EveryRound)]
    [InlineData("review: every-round\n", ReviewMode.EveryRound)]
    [InlineData("review: first-round\n", ReviewMode.FirstRound)]
    [InlineData("review: auto-within-bounds\n", ReviewMode.AutoWithinBounds)]
    public void Parse_Review_IsReadAndCarefulWhenSilent(string line, ReviewMode mode)
    {
        var policy = Assert.IsType<EgressPolicyResult.Valid>(Parse("maximumUpdateBytes: 1\nmaximumNorm: 1\nreviewHours: 5\napprovalDays: 7\napprovals: 2\n" + line)).Policy;

        Assert.Equal((mode, TimeSpan.FromHours(5), TimeSpan.FromDays(7), 2), (policy.Review, policy.ReviewTime, policy.ApprovalTime, policy.Approvals));
    }

    [Fact]
    public void Parse_UnknownReview_IsAProblem() =>
        Assert.Contains("every-round, first-round, auto-within-bounds", Assert.Single(Assert.IsType<EgressPolicyResult.Invalid>(
            Parse("maximumUpdateBytes: 1\nmaximumNorm: 1\nreview: never\n")).Problems).Message, StringComparison.Ordinal);

    [Fact]
    public void Schema_Properties_AreTheKeysThatAreRead()
    {
        using var schema = JsonDocument.Parse(EgressPolicyFile.Schema);
        var known = Assert.IsType<EgressPolicyResult.Invalid>(Parse("unknown: 1")).Problems.Single(problem => problem.Message.StartsWith("unknown", StringComparison.Ordinal)).Message;

        Assert.Equal(schema.RootElement.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal), known.Split("known are: ")[1].Split(", "));
    }

    private static EgressPolicyResult Parse(string yaml) => EgressPolicyFile.Parse(Encoding.UTF8.GetBytes(yaml));
}

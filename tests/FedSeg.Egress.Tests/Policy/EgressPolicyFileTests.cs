using System.Text;
using FedSeg.Egress.Policy;

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

    private static EgressPolicyResult Parse(string yaml) => EgressPolicyFile.Parse(Encoding.UTF8.GetBytes(yaml));
}

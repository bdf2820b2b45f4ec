using System.Text.RegularExpressions;

namespace FedSeg.Architecture.Tests;

/// <summary>A threat table, or any page, that names tests which are gone would promise what nothing holds.</summary>
public sealed partial class ThreatModelTests
{
    [Fact]
    public void Docs_EveryTestTheyName_Exists()
    {
        var root = SourceTests.FindRoot();
        var tests = Directory.GetFiles(Path.Combine(root, "tests"), "*Tests.cs", SearchOption.AllDirectories).SelectMany(file => TestName().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        var pages = Directory.GetFiles(Path.Combine(root, "docs"), "*.md", SearchOption.AllDirectories);
        var named = pages.SelectMany(page => Named().Matches(File.ReadAllText(page))).Select(match => match.Groups[1].Value).ToList();

        Assert.True(named.Count > 50, $"Only {named.Count} tests are named.");
        Assert.Empty(named.Except(tests));
    }

    [Fact]
    public void Table_EveryRow_NamesATest()
    {
        var rows = File.ReadAllLines(Path.Combine(SourceTests.FindRoot(), "docs", "threat-model.md")).Where(line => Row().IsMatch(line)).ToList();

        Assert.True(rows.Count > 30, $"Only {rows.Count} rows.");
        Assert.All(rows, row => Assert.True(Named().IsMatch(row.Split('|')[^2]), $"No test in: {row[..Math.Min(80, row.Length)]}"));
    }

    [GeneratedRegex(@"^\| D?\d+ \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"public (?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex TestName();

    [GeneratedRegex(@"`([A-Z][a-z]\w*_\w+)`")]
    private static partial Regex Named();
}

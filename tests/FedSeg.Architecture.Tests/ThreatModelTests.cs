using System.Text.RegularExpressions;

namespace FedSeg.Architecture.Tests;

/// <summary>A threat table that names tests which are gone would promise what nothing holds.</summary>
public sealed partial class ThreatModelTests
{
    [Fact]
    public void Table_EveryTestItNames_Exists()
    {
        var root = SourceTests.FindRoot();
        var tests = Directory.GetFiles(Path.Combine(root, "tests"), "*Tests.cs", SearchOption.AllDirectories).SelectMany(file => TestName().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        var named = Named().Matches(File.ReadAllText(Path.Combine(root, "docs", "threat-model.md"))).Select(match => match.Groups[1].Value).ToList();

        Assert.True(named.Count > 50, $"Only {named.Count} tests are named.");
        Assert.Empty(named.Except(tests));
    }

    [GeneratedRegex(@"public (?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex TestName();

    [GeneratedRegex(@"`([A-Z]\w+_\w+)`")]
    private static partial Regex Named();
}

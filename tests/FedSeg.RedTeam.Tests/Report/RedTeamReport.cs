using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FedSeg.RedTeam.Tests.Report;
using FedSeg.RedTeam.Tests.Sites;
using FedSeg.Segmentation.Networks;
using FedSeg.Testing;

[assembly: AssemblyFixture(typeof(RedTeamReport))]

namespace FedSeg.RedTeam.Tests.Report;

/// <summary>
/// Collects what every attack came to and writes it to <c>artifacts/red-team/report.md</c> and <c>.json</c> when the last test is done,
/// whether they passed or not: the annex that a data protection impact assessment can attach. Rows of attacks that were not run are not in
/// it.
/// </summary>
public sealed class RedTeamReport : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly Lock _gate = new();
    private readonly List<Finding> _findings = [];
    private readonly long _started = TimeProvider.System.GetTimestamp();

    public RedTeamReport()
    {
        // Before torch computes anything: every network of the product's here fills vectors of 8; the others are in double precision.
        CpuKernels.ChooseFor(ProductSite.ArchitectureOf(features: 8));
        TorchSharp.torch.set_num_threads(1);
    }

    /// <summary>Notes a finding, then fails the test that made it unless the attack works without the defence and not against it.</summary>
    public void Require(Finding finding)
    {
        lock (_gate) _findings.Add(finding);
        Assert.True(finding.Verdict is "held" or "residual risk", $"{finding.Attack}, {finding.Defence}: {finding.Verdict}. {finding}");
    }

    public void Dispose()
    {
        if (_findings.Count == 0) return;
        var folder = Directory.CreateDirectory(RepositoryFile.Find("artifacts", "red-team")).FullName;
        Finding[] findings = [.. _findings.OrderBy(finding => finding.Attack, StringComparer.Ordinal)
            .ThenBy(finding => finding.Target, StringComparer.Ordinal).ThenBy(finding => finding.Defence, StringComparer.Ordinal)];
        var facts = new Facts(
            TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
            typeof(RedTeamReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
            $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, "
                + RuntimeInformation.FrameworkDescription,
            (int)TimeProvider.System.GetElapsedTime(_started).TotalSeconds);
        File.WriteAllText(Path.Combine(folder, "report.json"), JsonSerializer.Serialize(new { facts, findings }, Json));
        File.WriteAllText(Path.Combine(folder, "report.md"), Markdown(facts, findings));
    }

    private static string Markdown(Facts facts, Finding[] findings)
    {
        var text = new StringBuilder($"""
            # Red team report

            {facts.Date}; version and commit {facts.Version}; {facts.Machine}; {facts.Seconds} s.

            Control: the attack without the defence. Floor: what somebody gets who saw nothing. Held: the control worked and the
            defended number is within the bound. Residual risk: nothing is promised, and this is what is left.


            """);
        foreach (var attack in findings.GroupBy(finding => finding.Attack))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"## {attack.Key}\n");
            text.AppendLine("| target | defence | measure | control | floor | defended | bound | verdict | remark |");
            text.AppendLine("|---|---|---|---|---|---|---|---|---|");
            foreach (var row in attack) text.AppendLine($"| {string.Join(" | ", Cells(row))} |");
            text.AppendLine();
        }

        return text.ToString();
    }

    private static string[] Cells(Finding row) =>
    [
        row.Target, row.Defence, row.Measure, Number(row.Control), Number(row.Floor), Number(row.Defended), Number(row.AtMost), row.Verdict,
        row.Remark,
    ];

    private static string Number(double? value) => value?.ToString("0.###", CultureInfo.InvariantCulture) ?? "";

    private sealed record Facts(string Date, string Version, string Machine, int Seconds);
}

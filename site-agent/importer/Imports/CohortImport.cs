using FedSeg.Importer.Cohort;
using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FedSeg.Importer.Imports;

/// <summary>
/// The importer's story: ask the PACS which studies match, bring in each that is not in the cohort as it is at the PACS, and write down
/// what became of them. It can be killed
/// at any moment; the next run goes on with what is missing. A case whose study has left the PACS or the selection stays in the cohort:
/// removing it is a person's decision.
/// </summary>
internal sealed partial class CohortImport(
    PacsClient pacs,
    StudySelection selection,
    CohortFolder cohort,
    StudyImport study,
    IOptions<ImporterOptions> options,
    TimeProvider time,
    ILogger<CohortImport> logger)
{
    /// <summary>After so many studies in a row the PACS is taken to be down, and the rest waits for the next import.</summary>
    private const int MostFailuresInARow = 3;

    /// <summary>Imports once.</summary>
    /// <exception cref="PacsException">The studies could not even be listed.</exception>
    /// <exception cref="IOException">Another importer is at work, or the disk failed.</exception>
    public async Task<ImportReport> RunAsync(CancellationToken cancellationToken)
    {
        using var claim = cohort.Lock();
        var started = time.GetUtcNow();
        var (found, outside) = await FindAsync(cancellationToken);
        if (outside > 0) LogOutsideSelection(outside);
        cohort.ForgetAllBut(found);

        var outcomes = new List<StudyOutcome>();
        var failuresInARow = 0;
        foreach (var next in found.TakeWhile(_ => failuresInARow < MostFailuresInARow))
        {
            var outcome = await study.RunAsync(next, cancellationToken);
            outcomes.Add(outcome);
            failuresInARow = outcome is StudyOutcome.Postponed ? failuresInARow + 1 : 0;
        }

        var report = ImportReport.Of(started, time.GetUtcNow(), outcomes.Count == found.Count, outside, found.Count, outcomes);
        report.Write(Path.Combine(options.Value.DataDirectory, "report.json"));
        Log(report);
        return report;
    }

    /// <summary>Studies that the selection takes, each once, and how many answers it does not take.</summary>
    private async Task<(IReadOnlyList<Uid> Found, int Outside)> FindAsync(CancellationToken cancellationToken)
    {
        var found = new List<Uid>();
        var known = new HashSet<Uid>();
        var outside = 0;
        foreach (var query in selection.Queries())
        {
            foreach (var match in await pacs.FindStudiesAsync(query, cancellationToken))
            {
                if (!known.Add(match.Study)) continue;
                if (selection.Takes(match)) found.Add(match.Study);
                else outside++;
            }
        }

        return (found, outside);
    }

    private void Log(ImportReport report)
    {
        var studies = report.Studies;
        LogImported(
            studies.Imported,
            studies.Found,
            studies.Unchanged,
            report.Instances.Fetched,
            report.Instances.Reused,
            (report.Finished - report.Started).TotalSeconds,
            cohort.CountCases());
        if (!studies.Skipped.IsEmpty) LogSkipped(Codes(studies.Skipped));
        if (studies.Quarantined > 0) LogQuarantined(studies.Quarantined, Codes(report.Instances.Quarantined));
        if (!studies.Postponed.IsEmpty) LogPostponed(Codes(studies.Postponed));
    }

    private static string Codes(IEnumerable<KeyValuePair<string, int>> counts) =>
        string.Join(", ", counts.Select(entry => $"{entry.Key} {entry.Value}"));

    [LoggerMessage(500, LogLevel.Information, "Imported {Imported} of {Found} studies, {Unchanged} were there; "
        + "{Fetched} instances fetched, {Reused} reused, in {Seconds:F1} s. The cohort has {Cases} cases")]
    private partial void LogImported(int imported, int found, int unchanged, int fetched, int reused, double seconds, int cases);

    [LoggerMessage(501, LogLevel.Information, "Studies that make no case: {Reasons}")]
    private partial void LogSkipped(string reasons);

    [LoggerMessage(502, LogLevel.Warning, "{Studies} studies are quarantined because of their instances: {Reasons}")]
    private partial void LogQuarantined(int studies, string reasons);

    [LoggerMessage(503, LogLevel.Warning, "The PACS failed; studies left for the next import: {Reasons}")]
    private partial void LogPostponed(string reasons);

    [LoggerMessage(504, LogLevel.Information, "The PACS listed {Studies} studies outside the selection; they were left out")]
    private partial void LogOutsideSelection(int studies);
}

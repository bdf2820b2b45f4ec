using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Egress.Records;
using FedSeg.Egress.Review;
using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Studies;

/// <summary>What a site's ledger says about a study: its charters, its runs, what left, who decided.</summary>
/// <param name="Study">The study.</param>
/// <param name="Charter">The charter it is held to; <see langword="null"/> when none was ever brought here.</param>
/// <param name="HasLeft">Whether this site has left it.</param>
/// <param name="Runs">Its runs, in the order in which they came.</param>
/// <param name="Entries">Every entry about it, oldest first.</param>
public sealed record StudyHistory(
    StudyId Study, SiteCharter? Charter, bool HasLeft, ImmutableArray<RunHistory> Runs, ImmutableArray<LedgerEntry> Entries)
{
    /// <exception cref="LedgerCorruptException">The ledger is broken.</exception>
    public static StudyHistory Read(StudyId study, LedgerReader ledger)
    {
        var book = new ReviewBook();
        book.CatchUp(ledger);
        var runs = book.RunsOf(study).ToHashSet();
        ImmutableArray<LedgerEntry> entries = [.. ledger.Entries().Where(entry => IsAbout(entry, study, runs))];
        return new StudyHistory(study, book.CharterOf(study), book.HasLeft(study), [.. runs.Select(run => RunHistory.Of(run, entries))], entries);
    }

    private static bool IsAbout(LedgerEntry entry, StudyId study, HashSet<RunId> runs) =>
        entry.Facts.GetValueOrDefault(EgressRecords.Study) == study.ToString()
        || (entry.Facts.TryGetValue(EgressRecords.Run, out var run) && runs.Contains(RunId.Parse(run)));
}

/// <summary>What a site's ledger says about a run.</summary>
public sealed record RunHistory
{
    public required RunId Run { get; init; }

    /// <summary>Terms that were decided about, to be read from the desk's folder.</summary>
    public required ImmutableArray<Sha256Digest> Terms { get; init; }

    /// <summary>Rounds whose update or report left and was accepted.</summary>
    public required ImmutableArray<int> Rounds { get; init; }

    /// <summary>Bytes of weights that left.</summary>
    public required long Bytes { get; init; }

    /// <summary>Updates that did not leave: a rule, a person or the clock said no.</summary>
    public required int Refused { get; init; }

    /// <summary>Accounts of the people who let something of it leave or train; empty where only standing approvals did.</summary>
    public required ImmutableArray<string> People { get; init; }

    /// <summary>When the first and the last of it left; <see langword="null"/> when nothing did.</summary>
    public required (DateTimeOffset First, DateTimeOffset Last)? Left { get; init; }

    /// <summary>ε of the cohort or study after the last release, and the most allowed; <see langword="null"/> where nothing was charged.</summary>
    public required (string Cohort, double After, double Maximum)? Epsilon { get; init; }

    internal static RunHistory Of(RunId run, IEnumerable<LedgerEntry> about)
    {
        var entries = about.Where(entry => entry.Facts.GetValueOrDefault(EgressRecords.Run) == run.ToString()).ToList();
        var sent = entries.Where(entry => entry.Action == EgressRecords.Sent && entry.Facts.GetValueOrDefault("receipt") == "accepted").ToList();
        var approved = entries.Where(entry => entry.Facts.GetValueOrDefault(EgressRecords.Decision) == EgressRecords.ApprovedDecision).ToList();
        var charged = approved.LastOrDefault(entry => entry.Facts.ContainsKey("epsilonAfter"));
        return new RunHistory
        {
            Run = run,
            Terms = [.. entries.Where(entry => entry.Action == EgressRecords.PlanDecided).Select(entry => Sha256Digest.Parse(entry.Facts[EgressRecords.Terms])).Distinct()],
            Rounds = [.. sent.Select(entry => Number(entry, EgressRecords.Round)).Distinct().Order()],
            Bytes = sent.Sum(entry => long.Parse(entry.Facts[EgressRecords.PayloadBytes], CultureInfo.InvariantCulture)),
            Refused = entries.Count(entry => entry.Action == EgressRecords.Decided && entry.Facts[EgressRecords.Decision] != EgressRecords.ApprovedDecision),
            People = [.. approved.Where(entry => entry.Facts.ContainsKey(EgressRecords.Person)).SelectMany(entry => entry.Facts[EgressRecords.By].Split(" and ")).Distinct().Order()],
            Left = sent.Count == 0 ? null : (sent[0].Time, sent[^1].Time),
            Epsilon = charged is null ? null : (charged.Facts["cohort"], Real(charged, "epsilonAfter"), Real(charged, "epsilonMaximum")),
        };
    }

    private static int Number(LedgerEntry entry, string fact) => int.Parse(entry.Facts[fact], CultureInfo.InvariantCulture);

    private static double Real(LedgerEntry entry, string fact) => double.Parse(entry.Facts[fact], CultureInfo.InvariantCulture);
}

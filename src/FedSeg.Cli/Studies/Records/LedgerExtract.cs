using System.Collections.Immutable;
using System.Globalization;
using FedSeg.Ledger.Storage;

namespace FedSeg.Cli.Studies.Records;

/// <summary>Every entry of the ledger about a study, as it stands there.</summary>
internal static class LedgerExtract
{
    public static RecordDocument Of(StudyFacts facts) => new(
        "ledger-extract",
        $"Extract of the ledger: study {facts.History.Study} at {facts.Site.Site}",
        [
            facts.Source(),
            new(
                "Entries",
                new RecordBlock.Paragraph("A proof of any entry that needs no ledger to check: fedseg ledger export, with the number in the first column."),
                new RecordBlock.Table(["Entry", "Time", "What", "Particulars"], [.. facts.History.Entries.Select(Row)])),
        ]);

    private static ImmutableArray<RecordText> Row(LedgerEntry entry) =>
    [
        entry.Seq.ToString(CultureInfo.InvariantCulture),
        StudyFacts.Day(entry.Time),
        entry.Action,
        string.Join("; ", entry.Facts.Where(fact => !fact.Key.StartsWith("rule.", StringComparison.Ordinal) || fact.Value.StartsWith("failed", StringComparison.Ordinal)).Select(fact => $"{fact.Key} {fact.Value}")),
    ];
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedSeg.Hosting.Storage;

namespace FedSeg.Importer.Imports;

/// <summary>
/// What one import did: counts and codes, nothing of a patient. Written to <c>report.json</c> in the data folder for the operator.
/// </summary>
internal sealed record ImportReport
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public required DateTimeOffset Started { get; init; }

    public required DateTimeOffset Finished { get; init; }

    /// <summary>False when the import gave up before the last study, because the PACS kept failing.</summary>
    public required bool Complete { get; init; }

    public required StudyCounts Studies { get; init; }

    public required InstanceCounts Instances { get; init; }

    /// <summary>Whether every selected study that makes a case is in the cohort now.</summary>
    [JsonIgnore]
    public bool Succeeded => Complete && Studies.Quarantined == 0 && Studies.Postponed.IsEmpty;

    /// <summary>Counts outcomes.</summary>
    public static ImportReport Of(
        DateTimeOffset started,
        DateTimeOffset finished,
        bool complete,
        int outsideSelection,
        int found,
        IReadOnlyCollection<StudyOutcome> outcomes)
    {
        var imported = outcomes.OfType<StudyOutcome.Imported>().ToArray();
        var quarantined = outcomes.OfType<StudyOutcome.Quarantined>().ToArray();
        return new ImportReport
        {
            Started = started,
            Finished = finished,
            Complete = complete,
            Studies = new StudyCounts
            {
                Found = found,
                OutsideSelection = outsideSelection,
                Imported = imported.Length,
                Unchanged = outcomes.OfType<StudyOutcome.Unchanged>().Count(),
                Quarantined = quarantined.Length,
                Skipped = Count(outcomes.OfType<StudyOutcome.Skipped>().Select(outcome => outcome.Reason)),
                Postponed = Count(outcomes.OfType<StudyOutcome.Postponed>().Select(outcome => outcome.Fault)),
            },
            Instances = new InstanceCounts
            {
                Fetched = imported.Sum(outcome => outcome.Fetched) + quarantined.Sum(outcome => outcome.Fetched),
                Reused = imported.Sum(outcome => outcome.Reused),
                Quarantined = Count(quarantined.SelectMany(outcome => outcome.Faults)),
            },
        };
    }

    /// <summary>Writes the report; durable when this returns.</summary>
    public void Write(string path) => DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, Format));

    private static ImmutableSortedDictionary<string, int> Count<T>(IEnumerable<T> codes)
        where T : struct, Enum =>
        codes.GroupBy(code => code).ToImmutableSortedDictionary(
            group => group.Key.ToString(),
            group => group.Count(),
            StringComparer.Ordinal);
}

/// <summary>Studies by what became of them; those with several possible reasons by reason code.</summary>
internal sealed record StudyCounts
{
    /// <summary>Selected.</summary>
    public required int Found { get; init; }

    /// <summary>Listed by the PACS, but not what the selection takes: other modalities, or a filter that the PACS does not know.</summary>
    public required int OutsideSelection { get; init; }

    public required int Imported { get; init; }

    public required int Unchanged { get; init; }

    public required int Quarantined { get; init; }

    public required ImmutableSortedDictionary<string, int> Skipped { get; init; }

    public required ImmutableSortedDictionary<string, int> Postponed { get; init; }
}

/// <summary>Instances of the studies imported or quarantined.</summary>
internal sealed record InstanceCounts
{
    public required int Fetched { get; init; }

    public required int Reused { get; init; }

    public required ImmutableSortedDictionary<string, int> Quarantined { get; init; }
}

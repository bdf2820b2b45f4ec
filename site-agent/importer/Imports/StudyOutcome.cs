using FedSeg.Importer.Cohort;
using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;

namespace FedSeg.Importer.Imports;

/// <summary>What became of one study.</summary>
internal abstract record StudyOutcome
{
    private StudyOutcome() { }

    /// <summary>It is in the cohort now.</summary>
    /// <param name="Fetched">Instances that came over the network.</param>
    /// <param name="Reused">Instances that an earlier, interrupted or older import had brought.</param>
    public sealed record Imported(int Fetched, int Reused) : StudyOutcome;

    /// <summary>The cohort holds exactly its instances already.</summary>
    public sealed record Unchanged : StudyOutcome;

    /// <summary>It makes no case.</summary>
    public sealed record Skipped(SkipReason Reason) : StudyOutcome;

    /// <summary>Some of its instances failed their checks, so it does not enter the cohort.</summary>
    /// <param name="Fetched">Instances that came and passed; they wait for the rest.</param>
    public sealed record Quarantined(int Fetched, IReadOnlyList<InstanceFault> Faults) : StudyOutcome;

    /// <summary>The PACS failed meanwhile; the next import goes on with what is missing.</summary>
    public sealed record Postponed(PacsFault Fault) : StudyOutcome;
}

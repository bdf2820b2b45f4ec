using System.Text.Json.Serialization;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;

namespace FedSeg.Cli.Ledgers;

/// <summary>A ledger's state as JSON: the entries or how many there are, and whether they hold.</summary>
internal sealed record LedgerAnswer(
    object Entries,
    string RootHash,
    bool Verified,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? FirstBadIndex,
    string? Problem,
    long CosignedEntries)
{
    public static LedgerAnswer Of(Verdict verdict) =>
        new(verdict.Entries, verdict.RootHash, verdict.Verified, verdict.FirstBadIndex, verdict.Problem, verdict.CosignedSize);

    public static object Entry(LedgerEntry entry) => new { seq = entry.Seq, time = entry.Time, action = entry.Action, facts = entry.Facts };
}

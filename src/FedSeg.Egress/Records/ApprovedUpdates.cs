using FedSeg.Federation.Identity;
using FedSeg.Ledger.Storage;

namespace FedSeg.Egress.Records;

/// <summary>Which updates the ledger says were approved and neither sent nor discarded since.</summary>
internal static class ApprovedUpdates
{
    /// <summary>Folds the ledger, oldest approval first.</summary>
    public static IReadOnlyList<(Sha256Digest Update, RunId Run)> Unsent(IEnumerable<LedgerEntry> entries)
    {
        var open = new List<(Sha256Digest Update, RunId Run)>();
        foreach (var (_, _, _, action, facts) in entries)
        {
            if (action is not (EgressRecords.Decided or EgressRecords.Sent or EgressRecords.Discarded) || !facts.TryGetValue(EgressRecords.Update, out var text)) continue;

            var update = Sha256Digest.Parse(text);
            open.RemoveAll(other => other.Update == update);
            if (action == EgressRecords.Decided && facts[EgressRecords.Decision] == EgressRecords.ApprovedDecision)
            {
                open.Add((update, RunId.Parse(facts[EgressRecords.Run])));
            }
        }

        return open;
    }
}

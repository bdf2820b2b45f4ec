using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>A ledger's entry as an audit event.</summary>
/// <param name="Log">The ledger's name.</param>
/// <param name="Entry">The entry.</param>
/// <param name="Leaf">Its hash in the ledger, by which a receiver knows an event it already has.</param>
internal sealed record AuditRecord(string Log, LedgerEntry Entry, MerkleHash Leaf)
{
    private const string Refused = "refused";

    /// <summary>Whether what was tried was done, on the scale of DICOM PS3.15 A.5 and FHIR: 0 done, 4 not done, 8 something is wrong.</summary>
    public int Outcome => Entry.Action switch
    {
        "ledgerRepaired" or "siteHalted" or "blindAborted" or "secondSession" or "sharedKey" => 8,
        _ when Entry.Facts.GetValueOrDefault("decision") == Refused => 4,
        var action when Says(action, Refused) || Says(action, "failed") || Says(action, "discarded") => 4,
        _ => 0,
    };

    /// <summary>Whether it tells of data on their way out of the hospital.</summary>
    public bool IsExport => Entry.Action is "egressSent" or "noticeSent";

    /// <summary>Who did it: a person, or the program itself.</summary>
    public string By => Entry.Facts.GetValueOrDefault("by") ?? Log;

    private static bool Says(string action, string word) => action.Contains(word, StringComparison.OrdinalIgnoreCase);
}

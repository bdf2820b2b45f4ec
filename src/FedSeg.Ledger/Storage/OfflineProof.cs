using System.Text;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// One entry with all that it takes to check it without the log: its bytes, its place, its path to the root, and the signed checkpoint. Source: C2SP tlog-proof v1; the entry
/// stands in the <c>extra</c> line.
/// </summary>
public static class OfflineProof
{
    /// <summary>The proof's text, against the last cosigned checkpoint that covers the entry, or the last one where none does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public static string Of(LedgerReader log, long index)
    {
        var checkpoint = log.Cosigned is { } cosigned && cosigned.Checkpoint.Size > index ? cosigned : log.Checkpoint;
        var text = new StringBuilder("c2sp.org/tlog-proof@v1\n");
        text.Append("extra ").Append(Convert.ToBase64String(log.EntryBytes(index))).Append('\n');
        text.Append("index ").Append(index).Append('\n');
        foreach (var hash in log.InclusionProof(index, checkpoint.Checkpoint.Size)) text.Append(Convert.ToBase64String(hash.Bytes)).Append('\n');
        return text.Append('\n').Append(checkpoint.Note).ToString();
    }
}

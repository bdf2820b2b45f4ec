using System.Globalization;
using System.Text;
using FedSeg.Hosting.Storage;
using FedSeg.Ledger.Storage;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>
/// Ships a ledger's entries to a target, each at least once and in order. The ledger itself is the spool: a cursor file says how far the target has them, and moves only
/// after it does, so nothing is lost while a collector is down, and nothing is kept twice.
/// </summary>
/// <param name="ledger">The ledger's folder.</param>
/// <param name="cursorPath">The cursor file of this target.</param>
/// <param name="target">Where entries go.</param>
internal sealed class AuditShipping(string ledger, string cursorPath, IAuditTarget target)
{
    /// <summary>Ships what the target does not have yet.</summary>
    /// <returns>How many entries that were.</returns>
    /// <exception cref="IOException">The target does not take them; the cursor stands before the first it may not have.</exception>
    /// <exception cref="LedgerCorruptException">The ledger is broken, or not the one that was shipped from.</exception>
    public async Task<long> ShipAsync(CancellationToken cancellationToken)
    {
        var log = LedgerReader.Open(ledger);
        var first = ReadCursor(log);
        var shipped = 0L;
        foreach (var batch in log.Entries(first).Chunk(target.BatchSize))
        {
            var records = batch.Select(entry => new AuditRecord(log.Checkpoint.Checkpoint.Origin, entry, log.Leaf(entry.Seq))).ToList();
            await target.SendAsync(records, cancellationToken);
            WriteCursor(records[^1]);
            shipped += records.Count;
        }

        return shipped;
    }

    /// <summary>The number of the first entry to ship.</summary>
    private long ReadCursor(LedgerReader log)
    {
        if (!File.Exists(cursorPath)) return 0;
        if (File.ReadAllText(cursorPath).Split(' ', StringSplitOptions.TrimEntries) is not [var number, var leaf]
            || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
        {
            throw new LedgerCorruptException(ledger, 0, $"'{cursorPath}' is not a cursor");
        }

        return last < log.Count && log.Leaf(last).ToString() == leaf
            ? last + 1
            : throw new LedgerCorruptException(ledger, last, "the entry that was shipped last is another one now: this ledger was rewritten or is not the one that was shipped from");
    }

    private void WriteCursor(AuditRecord last) =>
        DurableFile.Write(cursorPath, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{last.Entry.Seq} {last.Leaf}\n")));
}

using FedSeg.Ledger.Storage;

namespace FedSeg.Desk.Pages;

/// <summary>Looks through a ledger from its end: what people look for is mostly new, and a log of years need not be read for it.</summary>
internal static class NewestEntries
{
    private const int Window = 1024;

    /// <summary>The newest entries that are wanted, newest first, at most so many.</summary>
    public static List<LedgerEntry> Find(LedgerReader ledger, Func<LedgerEntry, bool> wanted, int count)
    {
        var found = new List<LedgerEntry>();
        for (var end = ledger.Count; end > 0 && found.Count < count; end = Math.Max(0, end - Window))
        {
            var start = Math.Max(0, end - Window);
            found.AddRange(ledger.Entries(start).Take((int)(end - start)).Where(wanted).Reverse());
        }

        return found.Count > count ? found[..count] : found;
    }
}

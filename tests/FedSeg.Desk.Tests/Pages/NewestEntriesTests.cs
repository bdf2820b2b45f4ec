using FedSeg.Desk.Pages;
using FedSeg.Egress.Tests;
using FedSeg.Ledger.Storage;

namespace FedSeg.Desk.Tests.Pages;

public sealed class NewestEntriesTests : IDisposable
{
    private readonly HospitalOnDisk _hospital = new();

    public void Dispose() => _hospital.Dispose();

    [Fact]
    public async Task Find_OverSeveralWindows_GivesTheNewestFirstAndNoMoreThanAsked()
    {
        await Task.WhenAll(Enumerable.Range(0, 2500).Select(i => _hospital.Ledger.AppendAsync(i % 1000 == 0 ? "rare" : "frequent", [])));
        var ledger = LedgerReader.Open(_hospital.Ledger.Directory);

        Assert.Equal([2000, 1000, 0], NewestEntries.Find(ledger, entry => entry.Action == "rare", 10).Select(entry => entry.Seq));
        Assert.Equal([2499, 2498], NewestEntries.Find(ledger, entry => entry.Action == "frequent", 2).Select(entry => entry.Seq));
        Assert.Empty(NewestEntries.Find(ledger, _ => false, 10));
    }
}

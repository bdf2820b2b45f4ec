using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Tests.Storage;

public sealed class LedgerReaderTests : IDisposable
{
    private const int Entries = 700;

    private readonly LedgerOnDisk _ledger = new LedgerOnDisk().WithCommits(500, Entries - 500);

    public void Dispose() => _ledger.Dispose();

    [Fact]
    public void Proofs_OfEveryEntryAndOlderSize_HoldAgainstTheSignedRoot()
    {
        var log = LedgerReader.Open(_ledger.Directory);
        var root = log.Checkpoint.Checkpoint.Root;

        for (var i = 0; i < Entries; i++)
        {
            Assert.True(MerkleProof.Includes(root, Entries, log.Leaf(i), i, log.InclusionProof(i, Entries)));
            Assert.True(MerkleProof.Extends(log.RootAt(i), i, root, Entries, log.ConsistencyProof(i)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(699)]
    public void Entries_FromAnIndex_AreThoseFromThereOn(int from)
    {
        var entries = LedgerReader.Open(_ledger.Directory).Entries(from).ToList();

        Assert.Equal(Enumerable.Range(from, Entries - from).Select(i => (long)i), entries.Select(entry => entry.Seq));
    }

    [Theory]
    [InlineData("tile/0/001", 300)]
    [InlineData("tile/entries/001", 256)]
    public void Read_DamagedFile_IsNoticedWhenItIsAskedFor(string file, int index)
    {
        var bytes = _ledger.Read(file);
        bytes[40] ^= 1;
        _ledger.Write(file, bytes);
        var log = LedgerReader.Open(_ledger.Directory);

        Assert.Equal(700, log.Count);
        Assert.InRange(Assert.Throws<LedgerCorruptException>(() => log.EntryBytes(index)).FirstBadIndex, 256, index);
    }

    [Fact]
    public void Open_GrowingTileDamaged_IsRefused()
    {
        var bytes = _ledger.Read(_ledger.LeavesFile);
        bytes[0] ^= 1;
        _ledger.Write(_ledger.LeavesFile, bytes);

        Assert.Throws<LedgerCorruptException>(() => LedgerReader.Open(_ledger.Directory));
    }
}

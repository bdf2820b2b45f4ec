using System.Security.Cryptography;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verification;

namespace FedSeg.Ledger.Tests.Storage;

public sealed class LedgerWriterTests : IDisposable
{
    private readonly LedgerOnDisk _ledger = new();

    public void Dispose() => _ledger.Dispose();

    [Fact]
    public void Append_Entry_GivesReceiptThatCoversIt()
    {
        using var writer = _ledger.Open();
        writer.Append("first", []);
        var receipt = writer.Append("second", [new("n", "1")]);

        Assert.Equal(1, receipt.Entry.Seq);
        Assert.Equal(2, receipt.Checkpoint.Checkpoint.Size);
        Assert.True(receipt.Checkpoint.IsSignedBy(_ledger.Key));
    }

    [Fact]
    public void Append_Returned_IsOnDiskBeforeTheWriterIsClosed()
    {
        using var writer = _ledger.Open();
        var receipt = writer.Append("tested", [new("n", "1")]);

        var read = LedgerReader.Open(_ledger.Directory);
        Assert.Equal(receipt.Entry.ToBytes(), Assert.Single(read.Entries()).ToBytes());
        Assert.Equal(receipt.Checkpoint.Note, read.Checkpoint.Note);
    }

    [Fact]
    public void Append_AfterReopening_ContinuesTheLog()
    {
        _ledger.With(3).With(2);

        var verification = LedgerVerifier.Verify(_ledger.Directory, _ledger.Key);
        Assert.True(verification.Verified, verification.Problem);
        Assert.Equal(5, verification.Entries);
    }

    [Fact]
    public void Append_FromManyThreads_KeepsEveryEntry()
    {
        using (var writer = _ledger.Open())
        {
            Parallel.For(0, 40, i => writer.Append("tested", [new("n", $"{i}")]));
        }

        var numbers = LedgerReader.Open(_ledger.Directory).Entries().Select(entry => int.Parse(entry.Facts["n"]));
        Assert.Equal(Enumerable.Range(0, 40), numbers.Order());
    }

    [Fact]
    public void Append_TooLong_IsRefusedAndLeavesTheLogUsable()
    {
        using var writer = _ledger.Open();
        Assert.Throws<ArgumentException>(() => writer.Append("tested", [new("n", new string('x', LedgerEntry.MaxBytes))]));

        Assert.Equal(0, writer.Append("tested", []).Entry.Seq);
    }

    [Fact]
    public void Append_FileReplacedByDamage_NeverReturns()
    {
        using var writer = _ledger.Open();
        writer.Append("tested", []);
        File.Delete(_ledger.PathOf("leaves"));

        Assert.ThrowsAny<IOException>(() => writer.Append("tested", []));
        Assert.Throws<LedgerCorruptException>(() => writer.Append("tested", []));
    }

    [Fact]
    public void Append_AfterTheDiskRefusedOnce_TriesAgainFromWhatIsThere()
    {
        using var writer = _ledger.Open();
        writer.Append("first", []);
        // The entry gets written, its leaf hash does not.
        var leaves = _ledger.Read("leaves");
        File.Delete(_ledger.PathOf("leaves"));
        Assert.ThrowsAny<IOException>(() => writer.Append("lost", []));
        _ledger.Write("leaves", leaves);

        writer.Append("second", []);
        Assert.Equal(["first", "ledgerRepaired", "second"], LedgerReader.Open(_ledger.Directory).Entries().Select(entry => entry.Action));
    }

    [Fact]
    public void Open_WhileOpen_IsRefused()
    {
        using var writer = _ledger.Open();

        Assert.Throws<LedgerInUseException>(() => _ledger.Open());
    }

    [Fact]
    public void Open_OtherKey_IsRefused()
    {
        _ledger.With(1);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Throws<LedgerCorruptException>(() => LedgerWriter.Open(_ledger.Directory, LedgerOnDisk.Origin, other, TimeProvider.System));
    }

    [Fact]
    public void Open_OtherOrigin_IsRefused()
    {
        _ledger.With(1);

        Assert.Throws<LedgerCorruptException>(() => LedgerWriter.Open(_ledger.Directory, "other.example/log", _ledger.Key, TimeProvider.System));
    }

    [Fact]
    public void Open_AppendCutOffAnywhere_KeepsWhatWasAcknowledgedAndNotesTheRepair()
    {
        _ledger.With(2);
        var before = Snapshot();
        _ledger.With(1);
        var after = Snapshot();

        // The order on disk is entries, leaves, checkpoints: every state a crash could leave on the way from before to after.
        foreach (var (file, done, open) in new (string, string[], string[])[]
        {
            ("entries", [], ["leaves", "checkpoints"]),
            ("leaves", ["entries"], ["checkpoints"]),
            ("checkpoints", ["entries", "leaves"], []),
        })
        {
            for (var length = before[file].Length; length < after[file].Length; length++)
            {
                foreach (var name in done) _ledger.Write(name, after[name]);
                foreach (var name in open) _ledger.Write(name, before[name]);
                _ledger.Write(file, after[file][..length]);
                if (file == "entries" && length == before[file].Length) continue;

                Assert.False(LedgerVerifier.Verify(_ledger.Directory).Verified);
                _ledger.Open().Dispose();
                var entries = LedgerReader.Open(_ledger.Directory).Entries().Select(entry => entry.Action).ToList();
                Assert.True(entries is ["tested", "tested", "ledgerRepaired"], $"{file} cut to {length}: {string.Join(' ', entries)}");
                Assert.True(LedgerVerifier.Verify(_ledger.Directory).Verified);
            }
        }
    }

    [Fact]
    public void Open_BytesNoAppendCouldLeave_IsCorrupt()
    {
        _ledger.With(2);
        var before = Snapshot();
        foreach (var (file, extra) in new (string, byte[])[]
        {
            ("entries", [0, 1, 65, 0, 1, 66]),
            ("leaves", [1]),
            ("checkpoints", "hospital"u8.ToArray()),
        })
        {
            _ledger.Write(file, [.. before[file], .. extra]);

            Assert.Equal(2, Assert.Throws<LedgerCorruptException>(() => _ledger.Open()).FirstBadIndex);
            _ledger.Write(file, before[file]);
        }
    }

    [Fact]
    public void Open_AcknowledgedByteFlipped_IsNeverRepaired()
    {
        _ledger.With(3);
        foreach (var file in LedgerOnDisk.Files)
        {
            var original = _ledger.Read(file);
            for (var i = 0; i < original.Length; i++)
            {
                // Bit 0x40 turns a newline into a base64 letter: the change most like a torn write.
                foreach (var mask in new byte[] { 0x01, 0x40 })
                {
                    var changed = original.ToArray();
                    changed[i] ^= mask;
                    _ledger.Write(file, changed);
                    Assert.Throws<LedgerCorruptException>(() => _ledger.Open());
                }
            }

            _ledger.Write(file, original);
        }
    }

    [Fact]
    public void Open_BeginningCutOff_BeginsAgain()
    {
        _ledger.Open().Dispose();
        File.Delete(_ledger.PathOf("key.pem"));
        File.Delete(_ledger.PathOf("checkpoints"));

        using var writer = _ledger.Open();
        Assert.Equal(0, writer.Append("tested", []).Entry.Seq);
    }

    [Fact]
    public void Open_EmptiedFiles_DoNotPassForANewLog()
    {
        _ledger.With(2);
        foreach (var file in new[] { "entries", "leaves", "checkpoints" }) _ledger.Write(file, []);

        Assert.Throws<LedgerCorruptException>(() => _ledger.Open());
    }

    [Fact]
    public void Reader_Proofs_HoldAgainstTheSignedRoot()
    {
        _ledger.With(7);
        var read = LedgerReader.Open(_ledger.Directory);
        var root = read.Checkpoint.Checkpoint.Root;

        for (var i = 0; i < read.Count; i++) Assert.True(MerkleProof.Includes(root, read.Count, read.Leaf(i), i, read.InclusionProof(i)));
        var oldRoot = MerkleTree.Root([.. Enumerable.Range(0, 4).Select(read.Leaf)]);
        Assert.True(MerkleProof.Extends(oldRoot, 4, root, read.Count, read.ConsistencyProof(4)));
    }

    private Dictionary<string, byte[]> Snapshot() => LedgerOnDisk.Files.ToDictionary(file => file, _ledger.Read);
}

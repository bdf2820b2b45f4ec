using System.Security.Cryptography;
using FedSeg.Ledger.Storage;

namespace FedSeg.Ledger.Tests.Storage;

public sealed class LedgerWriterTests : IDisposable
{
    private readonly LedgerOnDisk _ledger = new();

    public void Dispose() => _ledger.Dispose();

    [Fact]
    public async Task Append_Entry_GivesReceiptThatCoversIt()
    {
        using var writer = _ledger.Open();
        var first = await writer.AppendAsync("first", []);
        var receipt = await writer.AppendAsync("second", [new("n", "1")]);

        Assert.Equal((1, first.Leaf), (receipt.Entry.Seq, receipt.Entry.Previous));
        Assert.Equal(2, receipt.Checkpoint.Checkpoint.Size);
        Assert.True(receipt.Checkpoint.IsSignedBy(_ledger.Key));
    }

    [Fact]
    public async Task Append_Completed_IsOnDiskBeforeTheWriterIsClosed()
    {
        using var writer = _ledger.Open();
        var receipt = await writer.AppendAsync("tested", [new("n", "1")]);

        var read = LedgerReader.Open(_ledger.Directory);
        Assert.Equal(receipt.Entry.ToBytes(), Assert.Single(read.Entries()).ToBytes());
        Assert.Equal(receipt.Checkpoint.Note, read.Checkpoint.Note);
    }

    [Fact]
    public void Append_AfterReopening_ContinuesTheLog()
    {
        _ledger.With(3).With(2);

        Assert.Equal((null, 5), (_ledger.Verify(againstKey: true).Problem, _ledger.Verify().Entries));
    }

    [Fact]
    public async Task Append_ManyAtOnce_ShareCommitsAndKeepEveryEntry()
    {
        LedgerReceipt[] receipts;
        using (var writer = _ledger.Open())
        {
            receipts = await Task.WhenAll(Enumerable.Range(0, 1500).Select(i => writer.AppendAsync("tested", [new("n", $"{i}")])));
        }

        Assert.True(receipts.DistinctBy(receipt => receipt.Checkpoint.Note).Count() < 100, "the entries did not share commits");
        Assert.All(receipts, receipt => Assert.True(receipt.Entry.Seq < receipt.Checkpoint.Checkpoint.Size));
        Assert.Equal(Enumerable.Range(0, 1500), LedgerReader.Open(_ledger.Directory).Entries().Select(entry => int.Parse(entry.Facts["n"])).Order());
        Assert.Null(_ledger.Verify().Problem);
    }

    [Fact]
    public void Append_PastAFullTile_LaysFilesOutAsTlogTilesHasThem()
    {
        _ledger.WithCommits(100, 300, 130);

        Assert.Equal(
            ["checkpoints", "key.pem", "tile/0/000", "tile/0/001", "tile/0/002.p/18", "tile/1/000.p/2", "tile/entries/000", "tile/entries/001", "tile/entries/002.p/18"],
            _ledger.Files.Order(StringComparer.Ordinal));
        Assert.Equal(8192, _ledger.Read("tile/0/000").Length);
        Assert.Null(_ledger.Verify().Problem);
    }

    [Fact]
    public async Task Append_TooLong_IsRefusedAloneAndLeavesTheLogUsable()
    {
        using var writer = _ledger.Open();
        var tooLong = writer.AppendAsync("tested", [new("n", new string('x', LedgerEntry.MaxBytes))]);
        var beside = writer.AppendAsync("tested", []);

        await Assert.ThrowsAsync<ArgumentException>(() => tooLong);
        Assert.Equal(0, (await beside).Entry.Seq);
    }

    [Fact]
    public async Task Append_FileReplacedByDamage_NeverCompletes()
    {
        using var writer = _ledger.Open();
        await writer.AppendAsync("tested", []);
        File.Delete(_ledger.PathOf(_ledger.LeavesFile));

        await Assert.ThrowsAnyAsync<IOException>(() => writer.AppendAsync("tested", []));
        await Assert.ThrowsAsync<LedgerCorruptException>(() => writer.AppendAsync("tested", []));
    }

    [Fact]
    public async Task Append_AfterTheDiskRefusedOnce_TriesAgainFromWhatIsThere()
    {
        using var writer = _ledger.Open();
        await writer.AppendAsync("first", []);
        // The entry gets written, its leaf hash does not.
        var (name, leaves) = (_ledger.LeavesFile, _ledger.Read(_ledger.LeavesFile));
        File.Delete(_ledger.PathOf(name));
        await Assert.ThrowsAnyAsync<IOException>(() => writer.AppendAsync("lost", []));
        _ledger.Write(name, leaves);

        await writer.AppendAsync("second", []);
        Assert.Equal(["first", "ledgerRepaired", "second"], LedgerReader.Open(_ledger.Directory).Entries().Select(entry => entry.Action));
    }

    [Fact]
    public async Task Halt_RolledBackLog_TakesNothingMore()
    {
        using var writer = _ledger.Open();
        writer.Halt(3, "a witness saw more");

        Assert.Equal(3, (await Assert.ThrowsAsync<LedgerCorruptException>(() => writer.AppendAsync("tested", []))).FirstBadIndex);
    }

    [Fact]
    public async Task Append_Disposed_IsRefused()
    {
        var writer = _ledger.Open();
        writer.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.AppendAsync("tested", []));
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

    [Theory]
    [InlineData(2, 1)]
    [InlineData(254, 2)]
    [InlineData(256, 2)]
    public void Open_CommitCutOffAnywhere_KeepsWhatWasAcknowledgedAndNotesTheRepair(int acknowledged, int lost)
    {
        _ledger.WithCommits(acknowledged);
        var before = _ledger.Snapshot();
        _ledger.WithCommits(lost);
        var after = _ledger.Snapshot();

        // A commit writes entries, leaf hashes, tiles above, checkpoint, in this order: every state a crash could leave on the way.
        var state = new Dictionary<string, byte[]>(before);
        foreach (var group in new[] { "tile/entries/", "tile/0/", "tile/1/", "checkpoints" })
        {
            if (after.Keys.LastOrDefault(file => file.StartsWith(group, StringComparison.Ordinal)) is not { } name) continue;
            var old = before.Keys.LastOrDefault(file => file.StartsWith(group, StringComparison.Ordinal));
            var grown = old is not null && after[name].AsSpan().StartsWith(before[old]) ? before[old].Length : 0;
            for (var length = grown + 1; length < after[name].Length; length += Math.Max(1, (after[name].Length - grown) / 10))
            {
                var torn = new Dictionary<string, byte[]>(state);
                if (grown > 0) torn[old!] = after[name][..length];
                else torn[name] = after[name][..length];
                AssertRepaired(torn, acknowledged);
            }

            foreach (var file in state.Keys.Where(file => file.StartsWith(group, StringComparison.Ordinal)).ToList()) state.Remove(file);
            foreach (var file in after.Keys.Where(file => file.StartsWith(group, StringComparison.Ordinal))) state[file] = after[file];
            if (group != "checkpoints") AssertRepaired(state, acknowledged);
        }
    }

    [Fact]
    public void Open_BytesNoCommitCouldLeave_IsCorrupt()
    {
        _ledger.With(2);
        foreach (var (file, extra) in new (string, byte[])[]
        {
            (_ledger.EntriesFile, [0, 1, 65, 0, 1, 66]),
            (_ledger.LeavesFile, [1]),
            ("checkpoints", "hospital"u8.ToArray()),
        })
        {
            var before = _ledger.Read(file);
            _ledger.Write(file, [.. before, .. extra]);

            Assert.Equal(2, Assert.Throws<LedgerCorruptException>(() => _ledger.Open()).FirstBadIndex);
            _ledger.Write(file, before);
        }
    }

    [Fact]
    public void Open_AcknowledgedByteFlipped_IsNeverRepaired()
    {
        _ledger.With(2);
        var files = _ledger.Snapshot();
        var oldNotes = files["checkpoints"].AsSpan().LastIndexOf("\n— "u8);
        foreach (var (file, original) in files)
        {
            for (var i = 0; i < original.Length; i++)
            {
                // Bit 0x40 turns a newline into a base64 letter: the change most like a torn write.
                var changed = original.ToArray();
                changed[i] ^= (byte)(original[i] == '\n' || i % 2 == 0 ? 0x40 : 0x01);
                _ledger.Write(file, changed);
                try
                {
                    _ledger.Open().Dispose();
                    // What the writer leaves to the verifier: the signatures of older checkpoints.
                    Assert.True(file == "checkpoints" && i < oldNotes, $"{file}, byte {i}");
                    Assert.False(_ledger.Verify().Verified);
                }
                catch (LedgerCorruptException)
                {
                    Assert.Equal(changed, _ledger.Read(file));
                }
            }

            _ledger.Write(file, original);
        }
    }

    [Fact]
    public async Task Open_BeginningCutOff_BeginsAgain()
    {
        _ledger.Open().Dispose();
        File.Delete(_ledger.PathOf("key.pem"));
        File.Delete(_ledger.PathOf("checkpoints"));

        using var writer = _ledger.Open();
        Assert.Equal(0, (await writer.AppendAsync("tested", [])).Entry.Seq);
    }

    [Fact]
    public void Open_EmptiedFiles_DoNotPassForANewLog()
    {
        _ledger.With(2);
        foreach (var file in _ledger.Files.Where(file => file != "key.pem")) _ledger.Write(file, []);

        Assert.Throws<LedgerCorruptException>(() => _ledger.Open());
    }

    private void AssertRepaired(Dictionary<string, byte[]> torn, int acknowledged)
    {
        _ledger.Restore(torn);
        Assert.False(_ledger.Verify().Verified);
        _ledger.Open().Dispose();

        var entries = LedgerReader.Open(_ledger.Directory).Entries().Select(entry => entry.Action).ToList();
        Assert.Equal((acknowledged + 1, "ledgerRepaired"), (entries.Count, entries[^1]));
        Assert.Null(_ledger.Verify().Problem);
    }
}

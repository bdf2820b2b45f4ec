using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verification;

namespace FedSeg.Ledger.Tests.Verification;

public sealed class LedgerVerifierTests : IDisposable
{
    private const int Entries = 4;

    private readonly LedgerOnDisk _ledger = new LedgerOnDisk().With(Entries);

    public void Dispose() => _ledger.Dispose();

    public static TheoryData<string> Files => [.. LedgerOnDisk.Files];

    [Fact]
    public void Verify_Untouched_HoldsWithItsRoot()
    {
        var verification = LedgerVerifier.Verify(_ledger.Directory);
        var read = LedgerReader.Open(_ledger.Directory);

        Assert.Equal(new LedgerVerification(Entries, MerkleTree.Root([.. Enumerable.Range(0, Entries).Select(read.Leaf)]), true, null, null), verification);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Verify_AnyByteFlipped_Fails(string file)
    {
        var original = _ledger.Read(file);
        for (var i = 0; i < original.Length; i++)
        {
            // A neighbouring character, a newline turned into a letter, a byte that is no ASCII; every bit of a note is flipped in SignedCheckpointTests.
            foreach (var mask in new byte[] { 0x01, 0x40, 0x80 })
            {
                var changed = original.ToArray();
                changed[i] ^= mask;
                _ledger.Write(file, changed);
                Assert.False(LedgerVerifier.Verify(_ledger.Directory).Verified, $"{file}, byte {i}, mask {mask:x2}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Verify_CutOffAnywhere_Fails(string file)
    {
        var original = _ledger.Read(file);
        for (var length = 0; length < original.Length; length++)
        {
            _ledger.Write(file, original[..length]);
            Assert.False(LedgerVerifier.Verify(_ledger.Directory).Verified, $"{file} cut to {length}");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Verify_AnyByteRemovedOrInserted_Fails(string file)
    {
        var original = _ledger.Read(file);
        for (var i = 0; i < original.Length; i++)
        {
            _ledger.Write(file, [.. original[..i], .. original[(i + 1)..]]);
            Assert.False(LedgerVerifier.Verify(_ledger.Directory).Verified, $"{file} without byte {i}");
            _ledger.Write(file, [.. original[..i], original[i], .. original[i..]]);
            Assert.False(LedgerVerifier.Verify(_ledger.Directory).Verified, $"{file} with byte {i} twice");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Verify_FileMissing_Fails(string file)
    {
        File.Delete(_ledger.PathOf(file));

        Assert.False(LedgerVerifier.Verify(_ledger.Directory).Verified);
    }

    [Fact]
    public void Verify_EntryByteFlipped_NamesTheEntry()
    {
        var original = _ledger.Read("entries");
        var starts = Starts(original);
        for (var i = 0; i < original.Length; i++)
        {
            var changed = original.ToArray();
            changed[i] ^= 1;
            _ledger.Write("entries", changed);
            Assert.Equal(starts.FindLastIndex(start => start <= i), LedgerVerifier.Verify(_ledger.Directory).FirstBadIndex);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(Entries - 1)]
    public void Verify_EntryRewrittenWithItsLeafHash_NamesTheEntry(int index)
    {
        var records = Records();
        records[index] = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(records[index]).Replace($"\"n\":\"{index}\"", "\"n\":\"x\"", StringComparison.Ordinal));
        Rewrite(records);

        Assert.Equal(index, LedgerVerifier.Verify(_ledger.Directory).FirstBadIndex);
    }

    [Fact]
    public void Verify_EntryDeletedWithItsLeafHash_NamesTheEntry()
    {
        var records = Records();
        records.RemoveAt(1);
        Rewrite(records);

        Assert.Equal(1, LedgerVerifier.Verify(_ledger.Directory).FirstBadIndex);
    }

    [Fact]
    public void Verify_EntriesReorderedWithTheirLeafHashes_NamesTheFirst()
    {
        var records = Records();
        (records[2], records[3]) = (records[3], records[2]);
        Rewrite(records);

        Assert.Equal(2, LedgerVerifier.Verify(_ledger.Directory).FirstBadIndex);
    }

    [Fact]
    public void Verify_LastEntriesCutOffInEveryFileButTheCheckpoints_NamesTheFirstMissing()
    {
        Rewrite(Records()[..2]);

        Assert.Equal(2, LedgerVerifier.Verify(_ledger.Directory).FirstBadIndex);
    }

    [Fact]
    public void Verify_EntryAddedWithoutSignature_IsNotBelieved()
    {
        var records = Records();
        records.Add(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(records[^1]).Replace("\"seq\":3", "\"seq\":4", StringComparison.Ordinal)));
        Rewrite(records);

        Assert.Equal(Entries, LedgerVerifier.Verify(_ledger.Directory).FirstBadIndex);
    }

    [Fact]
    public void Verify_ForkSignedByAnotherKey_FailsAgainstTheKnownKey()
    {
        using var forged = new LedgerOnDisk().With(Entries);

        Assert.True(LedgerVerifier.Verify(forged.Directory).Verified);
        Assert.False(LedgerVerifier.Verify(forged.Directory, _ledger.Key).Verified);
    }

    [Fact]
    public void Verify_WhileTheWriterAppends_DoesNotDisturbIt()
    {
        using (var writer = _ledger.Open())
        {
            var appending = Task.Run(() =>
            {
                for (var i = 0; i < 30; i++) writer.Append("tested", []);
            }, TestContext.Current.CancellationToken);
            while (!appending.IsCompleted) LedgerVerifier.Verify(_ledger.Directory);
            Assert.Null(appending.Exception);
        }

        Assert.True(LedgerVerifier.Verify(_ledger.Directory, _ledger.Key).Verified);
    }

    private List<byte[]> Records()
    {
        var bytes = _ledger.Read("entries");
        return [.. Starts(bytes).Select(start => bytes.AsSpan(start + 2, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(start))).ToArray())];
    }

    private void Rewrite(List<byte[]> records)
    {
        _ledger.Write("entries", [.. records.SelectMany(record => new[] { (byte)(record.Length >> 8), (byte)record.Length }.Concat(record))]);
        _ledger.Write("leaves", [.. records.SelectMany(record => SHA256.HashData([0, .. record]))]);
    }

    private static List<int> Starts(byte[] entries)
    {
        var starts = new List<int>();
        for (var at = 0; at < entries.Length; at += 2 + BinaryPrimitives.ReadUInt16BigEndian(entries.AsSpan(at))) starts.Add(at);
        return starts;
    }
}

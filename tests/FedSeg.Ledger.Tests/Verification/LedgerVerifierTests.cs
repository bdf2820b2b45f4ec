using System.Text;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Verifier.Notes;

namespace FedSeg.Ledger.Tests.Verification;

/// <summary>Every byte of a small log, one after the other; LedgerMutationTests draw mutations of a larger one.</summary>
public sealed class LedgerVerifierTests : IDisposable
{
    private const int Entries = 4;

    private readonly LedgerOnDisk _ledger = new LedgerOnDisk().With(Entries);

    public void Dispose() => _ledger.Dispose();

    [Fact]
    public void VerifyFolder_Untouched_HoldsWithItsRoot() =>
        Assert.Equal(new Verdict(Entries, LedgerReader.Open(_ledger.Directory).Checkpoint.Checkpoint.Root.ToString(), null, null), _ledger.Verify());

    /// <summary>A key that is passed over would leave the folder to vouch for itself.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2, "--key")]
    [InlineData(2, "--kye", "key.pem")]
    [InlineData(2, "--key", "--witnessed", "file")]
    [InlineData(2, "--witnessed", "a", "--witnessed", "b")]
    [InlineData(2, "key.pem")]
    public void Program_OptionsItDoesNotKnow_IsAQuestionWithoutSense(int exitCode, params string[] options)
    {
        string[] arguments = [_ledger.Directory, .. options];
        Assert.Equal(exitCode, typeof(LedgerVerifier).Assembly.EntryPoint!.Invoke(null, [arguments]));
    }

    /// <summary>A commit's entries are on the disk before the checkpoint that signs them.</summary>
    [Fact]
    public async Task VerifyFolder_InTheMiddleOfACommit_WaitsForItsEnd()
    {
        var checkpoints = _ledger.Read("checkpoints");
        // The byte at which the last one begins, with the name of the log.
        var last = System.Text.Encoding.Latin1.GetString(checkpoints).LastIndexOf(LedgerOnDisk.Origin + "\n", StringComparison.Ordinal);
        using (_ledger.Open())
        {
            _ledger.Write("checkpoints", checkpoints[..last]);
            var verifying = Task.Run(() => _ledger.Verify(), TestContext.Current.CancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.False(verifying.IsCompleted);

            _ledger.Write("checkpoints", checkpoints);

            Assert.Equal((Entries, true), ((int)(await verifying).Entries, (await verifying).Verified));
        }

        // The same bytes where nobody writes are a log that was cut off.
        _ledger.Write("checkpoints", checkpoints[..last]);
        Assert.Equal(Entries - 1, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_AnyByteFlipped_Fails() => ForEveryByte((file, original, i) =>
    {
        // A neighbouring character, a newline turned into a letter, a byte that is no ASCII; every bit of a note is flipped in SignedCheckpointTests.
        var changed = original.ToArray();
        changed[i] ^= original[i] == '\n' ? (byte)0x40 : (byte)(0x01 << i % 3 * 3);
        _ledger.Write(file, changed);
        Assert.False(_ledger.Verify().Verified, $"{file}, byte {i}");
    });

    [Fact]
    public void VerifyFolder_CutOffAnywhere_Fails() => ForEveryByte((file, original, i) =>
    {
        _ledger.Write(file, original[..i]);
        Assert.False(_ledger.Verify().Verified, $"{file} cut to {i}");
    });

    [Fact]
    public void VerifyFolder_AnyByteRemovedOrRepeated_Fails() => ForEveryByte((file, original, i) =>
    {
        _ledger.Write(file, [.. original[..i], .. original[(i + 1)..]]);
        Assert.False(_ledger.Verify().Verified, $"{file} without byte {i}");
        _ledger.Write(file, [.. original[..i], original[i], .. original[i..]]);
        Assert.False(_ledger.Verify().Verified, $"{file} with byte {i} twice");
    });

    [Fact]
    public void VerifyFolder_FileMissingOrAdded_Fails()
    {
        foreach (var (file, bytes) in _ledger.Snapshot())
        {
            File.Delete(_ledger.PathOf(file));
            Assert.False(_ledger.Verify().Verified, file + " deleted");
            _ledger.Write(file, bytes);
        }

        _ledger.Write("tile/0/005", new byte[8192]);
        Assert.Equal(Entries, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_EntryByteFlipped_NamesTheEntry()
    {
        var original = _ledger.Read(_ledger.EntriesFile);
        var starts = LedgerOnDisk.Starts(original);
        for (var i = 0; i < original.Length; i++)
        {
            var changed = original.ToArray();
            changed[i] ^= 1;
            _ledger.Write(_ledger.EntriesFile, changed);
            Assert.Equal(starts.FindLastIndex(start => start <= i), _ledger.Verify().FirstBadIndex);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(Entries - 1)]
    public void VerifyFolder_EntryRewrittenWithItsLeafHash_NamesTheEntry(int index)
    {
        var records = _ledger.Records();
        records[index] = Replaced(records[index], $"\"n\":\"{index}\"", "\"n\":\"x\"");
        _ledger.Rewrite(records);

        Assert.Equal(index, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_EntryDeletedWithItsLeafHash_NamesTheEntry()
    {
        var records = _ledger.Records();
        records.RemoveAt(1);
        _ledger.Rewrite(records);

        Assert.Equal(1, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_EntriesReorderedWithTheirLeafHashes_NamesTheFirst()
    {
        var records = _ledger.Records();
        (records[2], records[3]) = (records[3], records[2]);
        _ledger.Rewrite(records);

        Assert.Equal(2, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_LastEntriesCutOffInEveryFileButTheCheckpoints_NamesTheFirstMissing()
    {
        _ledger.Rewrite(_ledger.Records()[..2]);

        Assert.Equal(2, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_EntryAddedWithoutSignature_IsNotBelieved()
    {
        var records = _ledger.Records();
        records.Add(Replaced(records[^1], "\"seq\":3", "\"seq\":4"));
        _ledger.Rewrite(records);

        Assert.Equal(Entries, _ledger.Verify().FirstBadIndex);
    }

    [Fact]
    public void VerifyFolder_ForkSignedByAnotherKey_FailsAgainstTheKnownKey()
    {
        using var forged = new LedgerOnDisk().With(Entries);
        var known = VerifierKey.Parse(_ledger.Key.ExportSubjectPublicKeyInfoPem());

        Assert.True(LedgerVerifier.VerifyFolder(forged.Directory).Verified);
        Assert.Equal(0, LedgerVerifier.VerifyFolder(forged.Directory, known).FirstBadIndex);
    }

    [Fact]
    public async Task VerifyFolder_WhileTheWriterAppends_DoesNotDisturbIt()
    {
        using (var writer = _ledger.Open())
        {
            var appending = Task.Run(async () =>
            {
                for (var i = 0; i < 30; i++) await writer.AppendAsync("tested", []);
            }, TestContext.Current.CancellationToken);
            while (!appending.IsCompleted) _ledger.Verify();
            await appending;
        }

        Assert.Null(_ledger.Verify(againstKey: true).Problem);
    }

    private void ForEveryByte(Action<string, byte[], int> change)
    {
        foreach (var (file, original) in _ledger.Snapshot())
        {
            for (var i = 0; i < original.Length; i++) change(file, original, i);
            _ledger.Write(file, original);
        }
    }

    private static byte[] Replaced(byte[] record, string old, string replacement) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(record).Replace(old, replacement, StringComparison.Ordinal));
}

using System.Text;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Verifier;
using FedSeg.Ledger.Witnessing;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FedSeg.Ledger.Tests.Verification;

/// <summary>Whatever is done to a log of several tiles and commits, the verifier names the first entry that can't be trusted any more.</summary>
public sealed class LedgerMutationTests(LedgerMutationTests.Original original) : IClassFixture<LedgerMutationTests.Original>
{
    private const int Runs = 40;

    [Property(MaxTest = Runs)]
    public bool FlippedByte_InTheEntries_NamesTheEntry(NonNegativeInt at, byte mask) => With(ledger =>
    {
        var (file, first, bytes, position) = Pick(ledger, "tile/entries/", at.Get);
        bytes[position] ^= (byte)(mask | 1);
        ledger.Write(file, bytes);
        // The length of a record decides where it and the next end: the entry whose byte it is must be named all the same.
        return ledger.Verify().FirstBadIndex == first + LedgerOnDisk.Starts(original.Files[file]).FindLastIndex(start => start <= position);
    });

    [Property(MaxTest = Runs)]
    public bool FlippedByte_InATile_NamesTheFirstEntryBelowTheHash(NonNegativeInt at, byte mask) => With(ledger =>
    {
        var level = at.Get % 3 == 0 ? 1 : 0;
        var (file, first, bytes, position) = Pick(ledger, $"tile/{level}/", at.Get);
        bytes[position] ^= (byte)(mask | 1);
        ledger.Write(file, bytes);
        return ledger.Verify().FirstBadIndex == first + (position / 32 << 8 * level);
    });

    [Property(MaxTest = Runs)]
    public bool FlippedByte_InACheckpoint_NamesTheFirstEntryOfItsCommit(NonNegativeInt at, byte mask) => With(ledger =>
    {
        var bytes = ledger.Read("checkpoints");
        var position = at.Get % bytes.Length;
        var before = original.Sizes[Math.Min(NoteAt(bytes, position), original.Sizes.Count - 1)];
        bytes[position] ^= (byte)(mask | 1);
        ledger.Write("checkpoints", bytes);
        return ledger.Verify().FirstBadIndex == before;
    });

    [Property(MaxTest = Runs)]
    public bool DeletedEntry_WithItsHash_NamesIt(NonNegativeInt at) => Rewritten(at, (records, index) => records.RemoveAt(index));

    [Property(MaxTest = Runs)]
    public bool ReorderedEntries_WithTheirHashes_NameTheFirst(NonNegativeInt at, NonNegativeInt distance) => Rewritten(at, (records, index) =>
    {
        var other = index + 1 + distance.Get % Math.Max(1, records.Count - index - 1);
        if (other < records.Count) (records[index], records[other]) = (records[other], records[index]);
        else records.RemoveAt(index);
    });

    [Property(MaxTest = 8)]
    public bool Truncated_ToAnOlderState_IsWholeByItselfAndNamedAgainstTheWitness(NonNegativeInt at) => With(ledger =>
    {
        var commits = at.Get % (Original.Commits.Length - 1);
        using var older = original.Replay(commits);
        return older.Verify(againstKey: false).Verified
            && LedgerVerifier.VerifyFolder(older.Directory, null, original.WitnessedPath) is { Verified: false } verdict
            && verdict.FirstBadIndex == Original.Commits.Take(commits).Sum();
    });

    [Property(MaxTest = 8)]
    public bool Forked_WithTheLogsOwnKey_IsWholeByItselfAndNamedAgainstTheWitness(NonNegativeInt at) => With(_ =>
    {
        var same = at.Get % Original.Commits.Length;
        using var fork = original.Replay(same);
        fork.WithCommits("forked", Original.Commits[same..]);
        var verdict = LedgerVerifier.VerifyFolder(fork.Directory, null, original.WitnessedPath);
        return fork.Verify().Verified && !verdict.Verified && verdict.FirstBadIndex == Original.Commits.Take(same).Sum();
    });

    private static int NoteAt(byte[] notes, int position)
    {
        var (count, end) = (0, 0);
        while (end < notes.Length)
        {
            end += SignedCheckpoint.NoteLength(notes.AsSpan(end))!.Value;
            if (position < end) return Math.Max(0, count - 1);
            count++;
        }

        return count - 1;
    }

    private bool Rewritten(NonNegativeInt at, Action<List<byte[]>, int> change) => With(ledger =>
    {
        var records = ledger.Records();
        var first = Original.Total / 256 * 256;
        // The growing file, as all of an attacker's files would otherwise have to move up.
        var index = at.Get % records.Count;
        change(records, index);
        ledger.Rewrite(records);
        return ledger.Verify().FirstBadIndex == first + index;
    });

    private static (string File, int First, byte[] Bytes, int Position) Pick(LedgerOnDisk ledger, string folder, int at)
    {
        var files = ledger.Files.Where(file => file.StartsWith(folder, StringComparison.Ordinal)).ToList();
        var file = files[at % files.Count];
        var bytes = ledger.Read(file);
        var first = int.Parse(file[folder.Length..(folder.Length + 3)]) * 256;
        return (file, first, bytes, at * 31 % bytes.Length);
    }

    private bool With(Func<LedgerOnDisk, bool> holds)
    {
        lock (original)
        {
            original.Ledger.Restore(original.Files);
            return holds(original.Ledger);
        }
    }

    /// <summary>A log of 570 entries in commits of many sizes, each cosigned by a witness.</summary>
    public sealed class Original : IDisposable
    {
        public static readonly int[] Commits = [1, 1, 40, 1, 200, 30, 1, 1, 250, 3, 1, 40, 1];

        private readonly LedgerOnDisk _peer = new();

        public Original()
        {
            var witness = new Witness(Path.Combine(_peer.Directory, "witnessed"), "coordinator", _peer.Key, TimeProvider.System);
            using (var writer = Ledger.Open()) Cosign(writer, witness);
            foreach (var commit in Commits)
            {
                Ledger.WithCommits(commit);
                Snapshots.Add(Ledger.Snapshot());
                using var writer = Ledger.Open();
                Cosign(writer, witness);
            }

            WitnessedPath = witness.NotesPath(LedgerOnDisk.Origin);
            Files = Ledger.Snapshot();
            Sizes = [0, .. Ledger.Read("checkpoints") is var notes ? SizesOf(notes) : []];
        }

        public static int Total => Commits.Sum();

        internal LedgerOnDisk Ledger { get; } = new();

        public Dictionary<string, byte[]> Files { get; }

        /// <summary>The size before each checkpoint.</summary>
        public List<long> Sizes { get; }

        public string WitnessedPath { get; }

        private List<Dictionary<string, byte[]>> Snapshots { get; } = [];

        /// <summary>The folder, key and all, as it was after some commits.</summary>
        internal LedgerOnDisk Replay(int commits)
        {
            var older = new LedgerOnDisk();
            older.Key.ImportECPrivateKey(Ledger.Key.ExportECPrivateKey(), out _);
            if (commits > 0) older.Restore(Snapshots[commits - 1]);
            else older.Open().Dispose();
            return older;
        }

        public void Dispose()
        {
            Ledger.Dispose();
            _peer.Dispose();
        }

        private void Cosign(LedgerWriter writer, Witness witness)
        {
            var log = LedgerReader.Open(Ledger.Directory);
            var oldSize = witness.Last(LedgerOnDisk.Origin)?.Checkpoint.Size ?? 0;
            var outcome = witness.Cosign(LedgerOnDisk.Origin, writer.PublicKey, log.Checkpoint.Note, oldSize, log.ConsistencyProof(oldSize));
            writer.KeepCosigned(log.Checkpoint.With(Assert.IsType<WitnessOutcome.Cosigned>(outcome).Cosignature), _peer.Key);
        }

        private static List<long> SizesOf(byte[] notes)
        {
            var sizes = new List<long>();
            for (var end = 0; end < notes.Length;)
            {
                var length = SignedCheckpoint.NoteLength(notes.AsSpan(end))!.Value;
                sizes.Add(SignedCheckpoint.Parse(Encoding.UTF8.GetString(notes, end, length))!.Checkpoint.Size);
                end += length;
            }

            return sizes;
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// One pass over a log's files: every entry against its leaf hash and sequence number, every signed checkpoint against the tree so far, and every byte accounted for.
/// The only reader of the format; the writer, the reader and the verifier differ in what they make of the answer.
/// </summary>
internal sealed class LedgerScan : IDisposable
{
    private const int MaxAttempts = 5;

    private static readonly SearchValues<byte> Base64Characters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="u8);

    private readonly ECDsa _key;
    private readonly Stream _checkpoints;
    private readonly Stream _leaves;
    private readonly Stream _entries;
    private readonly byte[] _entry = new byte[LedgerEntry.MaxBytes];

    private LedgerScan(ECDsa key, Stream checkpoints, Stream leaves, Stream entries) =>
        (_key, _checkpoints, _leaves, _entries) = (key, checkpoints, leaves, entries);

    /// <summary>The tree of the entries that a checkpoint vouches for.</summary>
    public MerkleFrontier Tree { get; } = new();

    public List<MerkleHash> Leaves { get; } = [];

    /// <summary>Offset of each entry's length prefix in the entries file.</summary>
    public List<long> Offsets { get; } = [];

    /// <summary>The last checkpoint that fits; <see langword="null"/> when not even the first does.</summary>
    public SignedCheckpoint? Last { get; private set; }

    /// <summary>Where the vouched-for part of each file ends.</summary>
    public LedgerLengths Good { get; private set; }

    /// <summary>What follows it when an append was cut short; <see langword="null"/> when nothing does.</summary>
    public InterruptedAppend? Interrupted { get; private set; }

    /// <summary>What does not fit; <see langword="null"/> when everything does.</summary>
    public LedgerProblem? Problem { get; private set; }

    /// <summary>Reads the log to its end or to the first problem.</summary>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static LedgerScan Run(LedgerFolder folder, ECDsa key)
    {
        string[] paths = [folder.CheckpointsPath, folder.LeavesPath, folder.EntriesPath];
        if (paths.FirstOrDefault(path => !File.Exists(path)) is { } missing)
        {
            return new LedgerScan(key, Stream.Null, Stream.Null, Stream.Null) { Problem = new LedgerProblem(0, $"the file '{Path.GetFileName(missing)}' is missing") };
        }

        // A writer at work may outrun one pass; a log at rest gives the same answer every time.
        for (var attempt = 1; ; attempt++)
        {
            using var scan = new LedgerScan(key, OpenShared(folder.CheckpointsPath), OpenShared(folder.LeavesPath), OpenShared(folder.EntriesPath));
            var before = scan._checkpoints.Length;
            scan.Problem = scan.ReadCheckpoints();
            var complete = scan.Problem is null && scan.Interrupted is null;
            if (complete || attempt == MaxAttempts || scan._checkpoints.Length == before) return scan;
        }
    }

    private LedgerProblem? ReadCheckpoints()
    {
        while (true)
        {
            var noteBytes = Peek(_checkpoints, SignedCheckpoint.MaxBytes);
            if (SignedCheckpoint.NoteLength(noteBytes) is not { } length) return ReadTail(noteBytes);

            var note = SignedCheckpoint.Parse(Text(noteBytes.AsSpan(0, length)));
            var problem = note is null
                ? new LedgerProblem(Tree.Size, "its checkpoint is not a signed note as the log writes them")
                : ReadUpTo(note);
            if (problem is not null) return problem;

            _checkpoints.Position += length;
            Last = note;
            Good = new LedgerLengths(_entries.Position, _leaves.Position, _checkpoints.Position);
        }
    }

    private LedgerProblem? ReadUpTo(SignedCheckpoint note)
    {
        var first = Tree.Size;
        var claimed = note.Checkpoint;
        if (!note.IsSignedBy(_key)) return new LedgerProblem(first, "its checkpoint is not signed by the log's key");
        if (Last is null ? claimed.Size != 0 : claimed.Size <= first || claimed.Origin != Last.Checkpoint.Origin)
        {
            return new LedgerProblem(first, "its checkpoint does not continue the one before it");
        }

        while (Tree.Size < claimed.Size)
        {
            if (ReadEntry() is { } problem) return problem;
        }

        return Tree.Root() == claimed.Root ? null : new LedgerProblem(first, "the entries do not have the root that was signed for them");
    }

    private LedgerProblem? ReadEntry()
    {
        var index = Tree.Size;
        var offset = _entries.Position;
        if (ReadRecord() is not { } length) return new LedgerProblem(index, "the entry is not there to its end");

        Span<byte> stored = stackalloc byte[MerkleHash.Length];
        if (_leaves.ReadAtLeast(stored, stored.Length, throwOnEndOfStream: false) < stored.Length) return new LedgerProblem(index, "its leaf hash is not there");

        var leaf = MerkleHash.OfLeaf(_entry.AsSpan(0, length));
        if (!leaf.Bytes.SequenceEqual(stored)) return new LedgerProblem(index, "the entry and its leaf hash do not belong together");
        if (LedgerEntry.FromBytes(_entry.AsSpan(0, length)) is not { } entry) return new LedgerProblem(index, "the entry is not canonical JSON");
        if (entry.Seq != index) return new LedgerProblem(index, "another entry stands in its place");

        Tree.Add(leaf);
        Leaves.Add(leaf);
        Offsets.Add(offset);
        return null;
    }

    /// <summary>
    /// The bytes after the last whole checkpoint. One append writes the entry, then its leaf hash, then its checkpoint; only a beginning of exactly that is an
    /// interrupted append, everything else is damage.
    /// </summary>
    private LedgerProblem? ReadTail(byte[] tornNote)
    {
        if (Last is null) return new LedgerProblem(0, "there is no signed checkpoint");

        var damage = new LedgerProblem(Tree.Size, "bytes follow the last signed checkpoint that no interrupted append could have left");
        var entryBytes = _entries.Length - Good.Entries;
        var leafBytes = _leaves.Length - Good.Leaves;
        if (entryBytes == 0 && leafBytes == 0 && tornNote.Length == 0) return null;

        MerkleHash? leaf = null;
        if (ReadRecord() is { } length)
        {
            if (_entries.Position != _entries.Length) return damage;
            leaf = MerkleHash.OfLeaf(_entry.AsSpan(0, length));
        }
        else if (entryBytes > sizeof(ushort) + LedgerEntry.MaxBytes)
        {
            return damage;
        }

        var tornLeaf = new byte[Math.Min(leafBytes, MerkleHash.Length + 1)];
        _leaves.ReadExactly(tornLeaf);
        if (tornLeaf.Length > 0 && (leaf is null || !leaf.Value.Bytes.StartsWith(tornLeaf))) return damage;
        if (tornNote.Length > 0 && (tornLeaf.Length != MerkleHash.Length || !IsBeginningOfNote(tornNote, leaf!.Value))) return damage;

        Interrupted = new InterruptedAppend(entryBytes, leaf);
        return null;
    }

    private bool IsBeginningOfNote(ReadOnlySpan<byte> torn, MerkleHash leaf)
    {
        Tree.Add(leaf);
        var origin = Last!.Checkpoint.Origin;
        ReadOnlySpan<byte> unsigned = Encoding.UTF8.GetBytes(new Checkpoint(origin, Tree.Size, Tree.Root()).ToText() + $"\n— {origin} ");
        if (torn.Length <= unsigned.Length) return unsigned.StartsWith(torn);
        if (!torn.StartsWith(unsigned)) return false;

        // A whole signature with one byte behind it was a finished note whose last byte was changed: acknowledged, so not ours to drop.
        var finished = SignedCheckpoint.Parse(Text(torn[..^1]) + "\n");
        return finished?.IsSignedBy(_key) != true && torn[unsigned.Length..].IndexOfAnyExcept(Base64Characters) < 0;
    }

    /// <summary>Reads the next length-prefixed record into <see cref="_entry"/>; <see langword="null"/> when it is not there to its end.</summary>
    private int? ReadRecord()
    {
        Span<byte> prefix = stackalloc byte[sizeof(ushort)];
        if (_entries.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length) return null;
        var length = BinaryPrimitives.ReadUInt16BigEndian(prefix);
        return _entries.ReadAtLeast(_entry.AsSpan(0, length), length, throwOnEndOfStream: false) < length ? null : length;
    }

    private static byte[] Peek(Stream stream, int count)
    {
        var position = stream.Position;
        var buffer = new byte[count];
        var read = stream.ReadAtLeast(buffer, count, throwOnEndOfStream: false);
        stream.Position = position;
        return buffer[..read];
    }

    /// <summary>Bytes that are no UTF-8 become characters that no note contains.</summary>
    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static FileStream OpenShared(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);

    public void Dispose()
    {
        _entries.Dispose();
        _leaves.Dispose();
        _checkpoints.Dispose();
    }
}

/// <summary>Lengths of the log's files, bytes.</summary>
internal readonly record struct LedgerLengths(long Entries, long Leaves, long Checkpoints);

/// <summary>What an append left behind that never returned.</summary>
/// <param name="EntryBytes">Bytes of the entry's record on disk.</param>
/// <param name="Leaf">The entry's hash, when all of it is there.</param>
internal sealed record InterruptedAppend(long EntryBytes, MerkleHash? Leaf);

/// <summary>The first thing that does not fit.</summary>
internal sealed record LedgerProblem(long Index, string Text);

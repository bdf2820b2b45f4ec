using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// One pass over a whole log before it is written to again: every entry against its leaf hash, its number and the entry before it, every tile, and the root of every
/// checkpoint. Of the signatures only the last is checked, for its root covers all that is before it; FedSeg.Ledger.Verifier checks each.
/// </summary>
internal sealed class LedgerScan : IDisposable
{
    /// <summary>Most entries of one commit: what a crash can leave behind the last checkpoint.</summary>
    public const int MaxCommit = 512;

    private static readonly SearchValues<byte> Base64Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="u8);

    private readonly LedgerFolder _folder;
    private readonly ECDsa _key;
    private readonly Stream _checkpoints;
    private readonly TileCursor _entries;
    private readonly List<TileCursor> _hashes = [];
    private readonly byte[] _entry = new byte[LedgerEntry.MaxBytes];

    private LedgerScan(LedgerFolder folder, ECDsa key, Stream checkpoints) =>
        (_folder, _key, _checkpoints, _entries) = (folder, key, checkpoints, new TileCursor(folder.Entries()));

    /// <summary>The growing tiles of the entries that a checkpoint vouches for.</summary>
    public TileEdges Edges { get; } = new();

    /// <summary>Their tree.</summary>
    public MerkleFrontier Tree { get; } = new();

    /// <summary>Hash of the last of them; the empty root when there is none.</summary>
    public MerkleHash LastLeaf { get; private set; } = MerkleHash.EmptyRoot;

    /// <summary>The last checkpoint that fits; <see langword="null"/> when not even the first does.</summary>
    public SignedCheckpoint? Last { get; private set; }

    /// <summary>Where it ends.</summary>
    public long CheckpointsEnd { get; private set; }

    /// <summary>Bytes of the vouched-for entries in the growing entries file.</summary>
    public long EntriesEdgeBytes { get; private set; }

    /// <summary>What follows when a commit was cut short; <see langword="null"/> when nothing does.</summary>
    public InterruptedCommit? Interrupted { get; private set; }

    /// <summary>What does not fit; <see langword="null"/> when everything does.</summary>
    public LedgerProblem? Problem { get; private set; }

    /// <summary>Reads the log to its end or to the first problem.</summary>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static LedgerScan Run(LedgerFolder folder, ECDsa key)
    {
        const FileShare shared = FileShare.ReadWrite | FileShare.Delete;
        using var checkpoints = File.Exists(folder.CheckpointsPath) ? new FileStream(folder.CheckpointsPath, FileMode.Open, FileAccess.Read, shared, 1 << 16) : Stream.Null;
        using var scan = new LedgerScan(folder, key, checkpoints);
        scan.Problem = scan.ReadCheckpoints();
        return scan;
    }

    public void Dispose()
    {
        _entries.Dispose();
        foreach (var cursor in _hashes) cursor.Dispose();
    }

    private LedgerProblem? ReadCheckpoints()
    {
        while (true)
        {
            var bytes = Peek(_checkpoints, SignedCheckpoint.MaxBytes);
            if (SignedCheckpoint.NoteLength(bytes) is not { } length)
            {
                return Last?.IsSignedBy(_key) switch
                {
                    null => new LedgerProblem(0, "there is no signed checkpoint"),
                    false => new LedgerProblem(Tree.Size, "the last checkpoint is not signed by the log's key"),
                    true => ReadTail(bytes),
                };
            }

            var note = SignedCheckpoint.Parse(Encoding.UTF8.GetString(bytes, 0, length));
            if (note is not { Cosignatures: [] }) return new LedgerProblem(Tree.Size, "its checkpoint is not a signed note as the log writes them");
            if (ReadUpTo(note.Checkpoint) is { } problem) return problem;

            _checkpoints.Position += length;
            (Last, CheckpointsEnd, EntriesEdgeBytes) = (note, _checkpoints.Position, _entries.BytesInFile);
        }
    }

    private LedgerProblem? ReadUpTo(Checkpoint claimed)
    {
        var first = Tree.Size;
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
        if (NextLeaf(index, LastLeaf) is not { } leaf) return new LedgerProblem(index, "the entry is not there, not canonical or not the one that belongs here");

        LedgerProblem? problem = null;
        Edges.Add(leaf, (level, hash) =>
        {
            Span<byte> stored = stackalloc byte[MerkleHash.Length];
            if (Hashes(level).ReadHash(stored) && hash.Bytes.SequenceEqual(stored)) return;
            var firstBelow = TileEdges.Count(index, level) << 8 * level;
            problem ??= new LedgerProblem(firstBelow, $"its hash in tile/{level} is missing or another one");
        });
        Tree.Add(leaf);
        LastLeaf = leaf;
        return problem;
    }

    /// <summary>The hash of the next whole entry, when it is canonical and continues the log.</summary>
    private MerkleHash? NextLeaf(long index, MerkleHash previous)
    {
        if (_entries.ReadEntry(_entry) is not { } length || LedgerEntry.FromBytes(_entry.AsSpan(0, length)) is not { } entry) return null;
        return entry.Seq == index && entry.Previous == previous ? MerkleHash.OfLeaf(_entry.AsSpan(0, length)) : null;
    }

    /// <summary>
    /// What lies behind the last whole checkpoint. A commit writes its entries, then their hashes, then its checkpoint; only a beginning of exactly that is an interrupted
    /// one, everything else is damage.
    /// </summary>
    private LedgerProblem? ReadTail(byte[] tornNote)
    {
        var damage = new LedgerProblem(Tree.Size, "bytes follow the last signed checkpoint that no interrupted commit could have left");
        var leaves = new List<MerkleHash>();
        var last = LastLeaf;
        long torn;
        while ((torn = _entries.BytesBehind) > 0)
        {
            var before = _entries.Count;
            if (NextLeaf(Tree.Size + leaves.Count, last) is { } leaf) leaves.Add(last = leaf);
            else if (_entries.Count != before || torn > sizeof(ushort) + LedgerEntry.MaxBytes) return damage;
            else break;
        }

        if (leaves.Count > MaxCommit) return damage;
        if (TornHashes(leaves, torn > 0) is not { } hashBytes) return damage;
        if (tornNote.Length > 0 && (torn > 0 || hashBytes != leaves.Count * MerkleHash.Length || !IsBeginningOfNote(tornNote, leaves))) return damage;
        if (leaves.Count > 0 || torn > 0 || hashBytes > 0 || tornNote.Length > 0) Interrupted = new InterruptedCommit(leaves, torn);
        return null;
    }

    /// <summary>Bytes of leaf hashes behind the checkpoint; <see langword="null"/> when they are not those of the entries.</summary>
    private long? TornHashes(List<MerkleHash> leaves, bool entriesTorn)
    {
        var cursor = Hashes(0);
        Span<byte> stored = stackalloc byte[MerkleHash.Length];
        var whole = 0;
        for (; cursor.ReadHash(stored); whole++)
        {
            if (whole == leaves.Count || !leaves[whole].Bytes.SequenceEqual(stored)) return null;
        }

        var rest = cursor.BytesBehind;
        if (rest >= MerkleHash.Length || (entriesTorn && whole + rest > 0)) return null;
        if (rest > 0 && (whole == leaves.Count || !leaves[whole].Bytes.StartsWith(cursor.ReadTorn((int)rest)))) return null;
        return whole * MerkleHash.Length + rest;
    }

    private bool IsBeginningOfNote(ReadOnlySpan<byte> torn, List<MerkleHash> leaves)
    {
        if (leaves.Count == 0) return false;
        foreach (var leaf in leaves) Tree.Add(leaf);
        var origin = Last!.Checkpoint.Origin;
        ReadOnlySpan<byte> unsigned = Encoding.UTF8.GetBytes(new Checkpoint(origin, Tree.Size, Tree.Root()).ToText() + $"\n— {origin} ");
        if (torn.Length <= unsigned.Length) return unsigned.StartsWith(torn);
        if (!torn.StartsWith(unsigned)) return false;

        // A whole signature with one byte behind it was a finished note whose last byte was changed: acknowledged, so not ours to drop.
        var finished = SignedCheckpoint.Parse(Encoding.UTF8.GetString(torn[..^1]) + "\n");
        return finished?.IsSignedBy(_key) != true && torn[unsigned.Length..].IndexOfAnyExcept(Base64Characters) < 0;
    }

    private TileCursor Hashes(int level)
    {
        while (_hashes.Count <= level) _hashes.Add(new TileCursor(_folder.Hashes(_hashes.Count)));
        return _hashes[level];
    }

    private static byte[] Peek(Stream stream, int count)
    {
        var position = stream.Position;
        var buffer = new byte[count];
        var read = stream.ReadAtLeast(buffer, count, throwOnEndOfStream: false);
        stream.Position = position;
        return buffer[..read];
    }
}

/// <summary>What a commit left behind that never returned.</summary>
/// <param name="Leaves">Hashes of its entries that are there to their end.</param>
/// <param name="TornBytes">Bytes of the one that is not.</param>
internal sealed record InterruptedCommit(IReadOnlyList<MerkleHash> Leaves, long TornBytes);

/// <summary>The first thing that does not fit.</summary>
internal sealed record LedgerProblem(long Index, string Text);

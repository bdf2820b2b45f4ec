using System.Buffers.Binary;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// A log as it stood when it was opened: its entries and the proofs about them. Opening reads the last checkpoint and the growing tiles, everything else is read, and held
/// against them, when it is asked for. It may be opened while the writer is at work; a commit in progress is not seen.
/// </summary>
public sealed class LedgerReader
{
    private readonly LedgerFolder _folder;
    private readonly TileReader _tiles;

    private LedgerReader(LedgerFolder folder, SignedCheckpoint checkpoint, TileReader tiles) => (_folder, Checkpoint, _tiles) = (folder, checkpoint, tiles);

    /// <summary>Entries in the log.</summary>
    public long Count => Checkpoint.Checkpoint.Size;

    /// <summary>The last signed state.</summary>
    public SignedCheckpoint Checkpoint { get; }

    /// <summary>The last state that a witness cosigned, with its signature; <see langword="null"/> when none has. Not checked here.</summary>
    public SignedCheckpoint? Cosigned => NoteFile.ReadLast(_folder.CosignedPath, cosigned: true).Note;

    /// <summary>Opens a log and checks its last checkpoint against the public key in its folder.</summary>
    /// <exception cref="LedgerCorruptException">The files are not what that checkpoint vouches for.</exception>
    public static LedgerReader Open(string directory)
    {
        var folder = new LedgerFolder(directory);
        using var key = folder.ReadKey() ?? throw new LedgerCorruptException(directory, 0, "the public key 'key.pem' is missing or damaged");
        var checkpoint = NoteFile.ReadLast(folder.CheckpointsPath, cosigned: false).Note ?? throw new LedgerCorruptException(directory, 0, "there is no signed checkpoint");
        var (_, size, root) = checkpoint.Checkpoint;
        if (!checkpoint.IsSignedBy(key)) throw new LedgerCorruptException(directory, size, "the last checkpoint is not signed by the log's key");

        var tiles = new TileReader(folder, size);
        if (MerkleTree.Root(size, tiles.Subtree) != root) throw new LedgerCorruptException(directory, 0, "the tiles do not have the root that was signed");
        return new LedgerReader(folder, checkpoint, tiles);
    }

    /// <summary>The entries from an index on, oldest first.</summary>
    /// <exception cref="LedgerCorruptException">One of them is not what the log vouches for.</exception>
    public IEnumerable<LedgerEntry> Entries(long from = 0)
    {
        for (var bundle = from / TileColumn.Width; bundle * TileColumn.Width < Count; bundle++)
        {
            foreach (var (offset, bytes) in Bundle(bundle))
            {
                var index = bundle * TileColumn.Width + offset;
                if (index >= from) yield return LedgerEntry.FromBytes(bytes) ?? throw Damaged(index);
            }
        }
    }

    /// <summary>The canonical bytes of one entry.</summary>
    public byte[] EntryBytes(long index)
    {
        CheckIndex(index);
        return Bundle(index / TileColumn.Width).First(entry => entry.Offset == index % TileColumn.Width).Entry;
    }

    /// <summary>The hash of an entry.</summary>
    public MerkleHash Leaf(long index)
    {
        CheckIndex(index);
        return _tiles.Tile(0, index / TileColumn.Width)[index % TileColumn.Width];
    }

    /// <summary>The root of the log's first <paramref name="size"/> entries.</summary>
    public MerkleHash RootAt(long size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Count);
        return MerkleTree.Root(size, _tiles.Subtree);
    }

    /// <summary>Proof that an entry is in the log's first <paramref name="size"/> entries; checked by <see cref="MerkleProof.Includes"/>.</summary>
    public IReadOnlyList<MerkleHash> InclusionProof(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Count);
        return MerkleTree.InclusionProof(size, index, _tiles.Subtree);
    }

    /// <summary>Proof that the log still begins with its first <paramref name="oldSize"/> entries; checked by <see cref="MerkleProof.Extends"/>.</summary>
    public IReadOnlyList<MerkleHash> ConsistencyProof(long oldSize) => MerkleTree.ConsistencyProof(oldSize, Count, _tiles.Subtree);

    private IEnumerable<(int Offset, byte[] Entry)> Bundle(long bundle)
    {
        var first = bundle * TileColumn.Width;
        var width = (int)Math.Min(TileColumn.Width, Count - first);
        var leaves = _tiles.Tile(0, bundle);
        using var stream = _folder.Entries().OpenRead(bundle) ?? throw Damaged(first);
        var prefix = new byte[sizeof(ushort)];
        for (var offset = 0; offset < width; offset++)
        {
            if (stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length) throw Damaged(first + offset);
            var bytes = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
            stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (MerkleHash.OfLeaf(bytes) != leaves[offset]) throw Damaged(first + offset);
            yield return (offset, bytes);
        }
    }

    private void CheckIndex(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
    }

    private LedgerCorruptException Damaged(long index) => new(_folder.Directory, index, "the entry is not the one that its hash stands for");
}

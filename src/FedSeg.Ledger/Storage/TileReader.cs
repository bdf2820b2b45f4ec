using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// The hashes of a log of a known, signed size, each tile proven before it is used: a full one by its root in the tile above, the growing ones together by the signed root
/// (<see cref="LedgerReader"/> checks that first). A proof costs a few tiles of 8 KiB, whatever the log's size.
/// </summary>
internal sealed class TileReader(LedgerFolder folder, long size)
{
    private readonly Dictionary<(int Level, long Tile), MerkleHash[]> _proven = [];
    private (long Tile, MerkleHash[] Hashes)? _lastLeaves;

    /// <summary>See <see cref="SubtreeHash"/>.</summary>
    public MerkleHash Subtree(int level, long index)
    {
        var (tileLevel, depth) = (level / 8, level % 8);
        var first = index << depth;
        var offset = (int)(first % TileColumn.Width);
        return TileEdges.Root(Tile(tileLevel, first / TileColumn.Width).AsSpan(offset, 1 << depth));
    }

    /// <summary>The hashes of one tile.</summary>
    /// <exception cref="LedgerCorruptException">They are not those the log vouches for.</exception>
    public MerkleHash[] Tile(int level, long tile)
    {
        if (level == 0 && _lastLeaves is { } last && last.Tile == tile) return last.Hashes;
        if (_proven.TryGetValue((level, tile), out var known)) return known;

        var count = TileEdges.Count(size, level);
        var full = tile < count / TileColumn.Width;
        var hashes = Read(level, tile, full ? TileColumn.Width : (int)(count % TileColumn.Width));
        if (full && TileEdges.Root(hashes) != Tile(level + 1, tile / TileColumn.Width)[tile % TileColumn.Width]) throw Damaged(level, tile);

        // Of the leaves, by far the most, only one tile is kept.
        if (level == 0 && full) _lastLeaves = (tile, hashes);
        else _proven[(level, tile)] = hashes;
        return hashes;
    }

    private MerkleHash[] Read(int level, long tile, int width)
    {
        var bytes = new byte[width * MerkleHash.Length];
        using (var stream = folder.Hashes(level).OpenRead(tile))
        {
            if (stream is null || stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw Damaged(level, tile);
        }

        var hashes = new MerkleHash[width];
        for (var i = 0; i < width; i++) hashes[i] = MerkleHash.FromBytes(bytes.AsSpan(i * MerkleHash.Length, MerkleHash.Length));
        return hashes;
    }

    private LedgerCorruptException Damaged(int level, long tile) =>
        new(folder.Directory, tile << 8 * (level + 1), $"tile {tile} of tile/{level} is missing or another one");
}

using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// The growing tile of each level, in memory. Level 0 holds leaf hashes; when a tile is full, its root becomes a record of the level above. Source: C2SP tlog-tiles.
/// </summary>
internal sealed class TileEdges
{
    private readonly List<List<MerkleHash>> _levels = [[]];

    /// <summary>Leaves added so far.</summary>
    public long Size { get; private set; }

    /// <summary>Levels that have a record or will have the next one.</summary>
    public int Levels => _levels.Count;

    /// <summary>Records of a level in a log of <paramref name="size"/> entries.</summary>
    public static long Count(long size, int level) => level * 8 < 63 ? size >> level * 8 : 0;

    /// <summary>Adds a leaf and reports every record it makes, the leaf itself first.</summary>
    public void Add(MerkleHash leaf, Action<int, MerkleHash> made)
    {
        Size++;
        var hash = leaf;
        for (var level = 0; ; level++)
        {
            if (level == _levels.Count) _levels.Add([]);
            _levels[level].Add(hash);
            made(level, hash);
            if (_levels[level].Count < TileColumn.Width) return;
            hash = Root(_levels[level].ToArray());
            _levels[level].Clear();
        }
    }

    /// <summary>The root of 2^k hashes.</summary>
    public static MerkleHash Root(ReadOnlySpan<MerkleHash> hashes) => hashes.Length == 1
        ? hashes[0]
        : MerkleHash.OfNode(Root(hashes[..(hashes.Length / 2)]), Root(hashes[(hashes.Length / 2)..]));
}

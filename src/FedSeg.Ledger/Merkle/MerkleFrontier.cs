using System.Numerics;

namespace FedSeg.Ledger.Merkle;

/// <summary>The right edge of a growing tree: the roots of its complete subtrees, largest first. Adding a leaf and taking the root cost O(log n).</summary>
internal sealed class MerkleFrontier
{
    private readonly List<MerkleHash> _subtrees = [];

    /// <summary>Leaves added so far.</summary>
    public long Size { get; private set; }

    /// <summary>The frontier of a tree of <paramref name="size"/> leaves.</summary>
    public static MerkleFrontier Of(long size, SubtreeHash subtree)
    {
        var frontier = new MerkleFrontier { Size = size };
        for (var level = BitOperations.Log2((ulong)size); level >= 0; level--)
        {
            // Each one bit of the size is a complete subtree; those before it are the leaves to its left.
            if ((size >> level & 1) == 1) frontier._subtrees.Add(subtree(level, (size >> level) - 1));
        }

        return frontier;
    }

    public void Add(MerkleHash leaf)
    {
        // Each trailing one bit of the old size is a complete subtree that the new leaf completes into a larger one.
        for (var size = Size; size % 2 == 1; size >>= 1)
        {
            leaf = MerkleHash.OfNode(_subtrees[^1], leaf);
            _subtrees.RemoveAt(_subtrees.Count - 1);
        }

        _subtrees.Add(leaf);
        Size++;
    }

    /// <summary>The root of all leaves added so far.</summary>
    public MerkleHash Root()
    {
        if (_subtrees.Count == 0) return MerkleHash.EmptyRoot;
        var root = _subtrees[^1];
        for (var i = _subtrees.Count - 2; i >= 0; i--) root = MerkleHash.OfNode(_subtrees[i], root);
        return root;
    }
}

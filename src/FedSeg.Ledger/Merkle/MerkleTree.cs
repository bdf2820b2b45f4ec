using System.Numerics;

namespace FedSeg.Ledger.Merkle;

/// <summary>The hash of a complete subtree: the <paramref name="index"/>-th one of 2^<paramref name="level"/> leaves.</summary>
internal delegate MerkleHash SubtreeHash(int level, long index);

/// <summary>
/// Roots and proofs of a log of any size from the hashes of its complete subtrees, of which O(log n) are asked for. Source: RFC 6962 sections 2.1 (tree hash), 2.1.1
/// (audit path), 2.1.2 (consistency proof), whose names are used here.
/// </summary>
internal static class MerkleTree
{
    /// <summary>The tree hash of the first <paramref name="size"/> leaves.</summary>
    public static MerkleHash Root(long size, SubtreeHash subtree) => size == 0 ? MerkleHash.EmptyRoot : Range(0, size, subtree);

    /// <summary>The siblings from a leaf up to the root, lowest first: with them anyone who holds the entry can recompute the root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf.</exception>
    public static IReadOnlyList<MerkleHash> InclusionProof(long size, long index, SubtreeHash subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<MerkleHash>();
        Path(0, size, index, subtree, path);
        return path;
    }

    /// <summary>The nodes which show that the first <paramref name="oldSize"/> leaves are still the beginning of the log.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The old log was longer than this one.</exception>
    public static IReadOnlyList<MerkleHash> ConsistencyProof(long oldSize, long size, SubtreeHash subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, size);
        var proof = new List<MerkleHash>();
        if (oldSize > 0) SubProof(0, size, oldSize, oldRootIsKnown: true, subtree, proof);
        return proof;
    }

    // Every range that the recursions below meet starts at a multiple of the largest power of two in it, so its complete parts are subtrees of the whole.
    private static MerkleHash Range(long start, long end, SubtreeHash subtree)
    {
        var count = end - start;
        if (long.IsPow2(count)) return subtree(BitOperations.Log2((ulong)count), start / count);
        var middle = start + Split(count);
        return MerkleHash.OfNode(Range(start, middle, subtree), Range(middle, end, subtree));
    }

    private static void Path(long start, long end, long index, SubtreeHash subtree, List<MerkleHash> path)
    {
        if (end - start == 1) return;
        var middle = start + Split(end - start);
        if (index < middle)
        {
            Path(start, middle, index, subtree, path);
            path.Add(Range(middle, end, subtree));
        }
        else
        {
            Path(middle, end, index, subtree, path);
            path.Add(Range(start, middle, subtree));
        }
    }

    private static void SubProof(long start, long end, long oldEnd, bool oldRootIsKnown, SubtreeHash subtree, List<MerkleHash> proof)
    {
        if (oldEnd == end)
        {
            if (!oldRootIsKnown) proof.Add(Range(start, end, subtree));
            return;
        }

        var middle = start + Split(end - start);
        if (oldEnd <= middle)
        {
            SubProof(start, middle, oldEnd, oldRootIsKnown, subtree, proof);
            proof.Add(Range(middle, end, subtree));
        }
        else
        {
            SubProof(middle, end, oldEnd, oldRootIsKnown: false, subtree, proof);
            proof.Add(Range(start, middle, subtree));
        }
    }

    /// <summary>The largest power of two below <paramref name="count"/>: where a tree of that many leaves splits.</summary>
    private static long Split(long count) => 1L << BitOperations.Log2((ulong)(count - 1));
}

using System.Numerics;

namespace FedSeg.Ledger.Merkle;

/// <summary>
/// Roots and proofs over the leaf hashes of a log. Source: RFC 6962 sections 2.1 (tree hash), 2.1.1 (audit path), 2.1.2 (consistency proof), whose names are used here.
/// </summary>
public static class MerkleTree
{
    /// <summary>The tree hash of all leaves.</summary>
    public static MerkleHash Root(ReadOnlySpan<MerkleHash> leaves)
    {
        if (leaves.Length == 0) return MerkleHash.EmptyRoot;
        if (leaves.Length == 1) return leaves[0];
        var split = Split(leaves.Length);
        return MerkleHash.OfNode(Root(leaves[..split]), Root(leaves[split..]));
    }

    /// <summary>The siblings from a leaf up to the root, lowest first: with them anyone who holds the entry can recompute the root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf.</exception>
    public static IReadOnlyList<MerkleHash> InclusionProof(ReadOnlySpan<MerkleHash> leaves, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, leaves.Length);
        var path = new List<MerkleHash>();
        Path(leaves, index, path);
        return path;
    }

    /// <summary>The nodes which show that the first <paramref name="oldSize"/> leaves are still the beginning of the log.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The old log was longer than this one.</exception>
    public static IReadOnlyList<MerkleHash> ConsistencyProof(ReadOnlySpan<MerkleHash> leaves, int oldSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, leaves.Length);
        var proof = new List<MerkleHash>();
        if (oldSize > 0) SubProof(leaves, oldSize, oldRootIsKnown: true, proof);
        return proof;
    }

    /// <summary>The largest power of two below <paramref name="count"/>: where a tree of that many leaves splits.</summary>
    internal static int Split(int count) => 1 << BitOperations.Log2((uint)(count - 1));

    private static void Path(ReadOnlySpan<MerkleHash> leaves, int index, List<MerkleHash> path)
    {
        if (leaves.Length == 1) return;
        var split = Split(leaves.Length);
        if (index < split)
        {
            Path(leaves[..split], index, path);
            path.Add(Root(leaves[split..]));
        }
        else
        {
            Path(leaves[split..], index - split, path);
            path.Add(Root(leaves[..split]));
        }
    }

    private static void SubProof(ReadOnlySpan<MerkleHash> leaves, int oldSize, bool oldRootIsKnown, List<MerkleHash> proof)
    {
        if (oldSize == leaves.Length)
        {
            if (!oldRootIsKnown) proof.Add(Root(leaves));
            return;
        }

        var split = Split(leaves.Length);
        if (oldSize <= split)
        {
            SubProof(leaves[..split], oldSize, oldRootIsKnown, proof);
            proof.Add(Root(leaves[split..]));
        }
        else
        {
            SubProof(leaves[split..], oldSize - split, oldRootIsKnown: false, proof);
            proof.Add(Root(leaves[..split]));
        }
    }
}

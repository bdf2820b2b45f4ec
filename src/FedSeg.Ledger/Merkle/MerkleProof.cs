namespace FedSeg.Ledger.Merkle;

/// <summary>Checks proofs with nothing but hashes in hand. Source: RFC 9162 sections 2.1.3.2 and 2.1.4.2; the hashes are those of RFC 6962.</summary>
public static class MerkleProof
{
    /// <summary>Whether <paramref name="leaf"/> is entry <paramref name="index"/> of the log of <paramref name="size"/> entries with that root.</summary>
    public static bool Includes(MerkleHash root, long size, MerkleHash leaf, long index, IReadOnlyList<MerkleHash> proof)
    {
        if (index < 0 || index >= size) return false;

        var (node, last, hash) = (index, size - 1, leaf);
        foreach (var sibling in proof)
        {
            if (last == 0) return false;
            if (node % 2 == 1 || node == last)
            {
                hash = MerkleHash.OfNode(sibling, hash);
                while (node % 2 == 0 && node != 0) (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                hash = MerkleHash.OfNode(hash, sibling);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && hash == root;
    }

    /// <summary>Whether the log of <paramref name="newSize"/> entries begins with the log of <paramref name="oldSize"/> entries.</summary>
    public static bool Extends(MerkleHash oldRoot, long oldSize, MerkleHash newRoot, long newSize, IReadOnlyList<MerkleHash> proof)
    {
        if (oldSize < 0 || oldSize > newSize) return false;
        if (oldSize == newSize) return proof.Count == 0 && oldRoot == newRoot;
        if (oldSize == 0) return proof.Count == 0 && oldRoot == MerkleHash.EmptyRoot;

        // A complete old tree is itself a node of the new one and is left out of the proof.
        var path = long.IsPow2(oldSize) ? [oldRoot, .. proof] : proof.ToArray();
        if (path.Length == 0) return false;

        var (node, last) = (oldSize - 1, newSize - 1);
        while (node % 2 == 1) (node, last) = (node >> 1, last >> 1);

        var (fromOld, fromNew) = (path[0], path[0]);
        foreach (var sibling in path.AsSpan(1))
        {
            if (last == 0) return false;
            if (node % 2 == 1 || node == last)
            {
                fromOld = MerkleHash.OfNode(sibling, fromOld);
                fromNew = MerkleHash.OfNode(sibling, fromNew);
                while (node % 2 == 0 && node != 0) (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                fromNew = MerkleHash.OfNode(fromNew, sibling);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && fromOld == oldRoot && fromNew == newRoot;
    }
}

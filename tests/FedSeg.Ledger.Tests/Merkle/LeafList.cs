using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Tests.Merkle;

/// <summary>A log as a plain list of leaf hashes, from which every subtree is hashed anew.</summary>
internal sealed class LeafList(params MerkleHash[] leaves)
{
    public long Size => leaves.Length;

    public MerkleHash this[int index] => leaves[index];

    public MerkleHash Root => MerkleTree.Root(Size, Subtree);

    public LeafList First(int size) => new(leaves[..size]);

    public IReadOnlyList<MerkleHash> InclusionProof(int index) => MerkleTree.InclusionProof(Size, index, Subtree);

    public IReadOnlyList<MerkleHash> ConsistencyProof(int oldSize) => MerkleTree.ConsistencyProof(oldSize, Size, Subtree);

    public MerkleHash Subtree(int level, long index) => level == 0
        ? leaves[index]
        : MerkleHash.OfNode(Subtree(level - 1, index * 2), Subtree(level - 1, index * 2 + 1));
}

using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Tests.Merkle;

public sealed class MerkleProofTests
{
    private const int MaxSize = 33;

    private static readonly MerkleHash[] Leaves = [.. Enumerable.Range(0, MaxSize).Select(i => MerkleHash.OfLeaf([(byte)i]))];

    private static readonly MerkleHash Foreign = MerkleHash.OfLeaf([0xff, 0xff]);

    public static TheoryData<int> Sizes => [.. Enumerable.Range(1, MaxSize)];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Includes_EveryLeaf_Holds(int size)
    {
        var leaves = Leaves[..size];
        for (var index = 0; index < size; index++)
        {
            Assert.True(MerkleProof.Includes(MerkleTree.Root(leaves), size, leaves[index], index, MerkleTree.InclusionProof(leaves, index)));
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Includes_WrongLeafIndexSizeOrProof_Fails(int size)
    {
        var leaves = Leaves[..size];
        var root = MerkleTree.Root(leaves);
        for (var index = 0; index < size; index++)
        {
            var proof = MerkleTree.InclusionProof(leaves, index);
            Assert.False(MerkleProof.Includes(root, size, Foreign, index, proof));
            Assert.False(MerkleProof.Includes(Foreign, size, leaves[index], index, proof));
            Assert.False(MerkleProof.Includes(root, size, leaves[index], size, proof));
            Assert.False(MerkleProof.Includes(root, size, leaves[index], index, [.. proof, Foreign]));
            Assert.False(MerkleProof.Includes(root, size, leaves[index], (index + 1) % size, proof) && size > 1);
            for (var i = 0; i < proof.Count; i++)
            {
                Assert.False(MerkleProof.Includes(root, size, leaves[index], index, [.. proof.Take(i), Foreign, .. proof.Skip(i + 1)]));
                Assert.False(MerkleProof.Includes(root, size, leaves[index], index, [.. proof.Take(i), .. proof.Skip(i + 1)]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Extends_EveryOlderSize_Holds(int size)
    {
        var leaves = Leaves[..size];
        for (var old = 0; old <= size; old++)
        {
            Assert.True(MerkleProof.Extends(MerkleTree.Root(leaves.AsSpan(0, old)), old, MerkleTree.Root(leaves), size, MerkleTree.ConsistencyProof(leaves, old)));
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Extends_ForkOrChangedProof_Fails(int size)
    {
        var leaves = Leaves[..size];
        var root = MerkleTree.Root(leaves);
        for (var old = 1; old < size; old++)
        {
            var oldRoot = MerkleTree.Root(leaves.AsSpan(0, old));
            var forked = MerkleTree.Root([.. leaves[..(old - 1)], Foreign]);
            var proof = MerkleTree.ConsistencyProof(leaves, old);
            Assert.False(MerkleProof.Extends(forked, old, root, size, proof));
            Assert.False(MerkleProof.Extends(oldRoot, old, Foreign, size, proof));
            Assert.False(MerkleProof.Extends(oldRoot, old, root, size, [.. proof, Foreign]));
            for (var i = 0; i < proof.Count; i++)
            {
                Assert.False(MerkleProof.Extends(oldRoot, old, root, size, [.. proof.Take(i), Foreign, .. proof.Skip(i + 1)]));
            }
        }
    }
}

using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Tests.Merkle;

public sealed class MerkleProofTests
{
    private const int MaxSize = 33;

    private static readonly LeafList Leaves = new([.. Enumerable.Range(0, MaxSize).Select(i => MerkleHash.OfLeaf([(byte)i]))]);

    private static readonly MerkleHash Foreign = MerkleHash.OfLeaf([0xff, 0xff]);

    public static TheoryData<int> Sizes => [.. Enumerable.Range(1, MaxSize)];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Includes_EveryLeaf_Holds(int size)
    {
        var leaves = Leaves.First(size);
        for (var index = 0; index < size; index++)
        {
            Assert.True(MerkleProof.Includes(leaves.Root, size, leaves[index], index, leaves.InclusionProof(index)));
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Includes_WrongLeafIndexSizeOrProof_Fails(int size)
    {
        var leaves = Leaves.First(size);
        var root = leaves.Root;
        for (var index = 0; index < size; index++)
        {
            var proof = leaves.InclusionProof(index);
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
        var leaves = Leaves.First(size);
        for (var old = 0; old <= size; old++)
        {
            Assert.True(MerkleProof.Extends(leaves.First(old).Root, old, leaves.Root, size, leaves.ConsistencyProof(old)));
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Extends_ForkOrChangedProof_Fails(int size)
    {
        var leaves = Leaves.First(size);
        var root = leaves.Root;
        for (var old = 1; old < size; old++)
        {
            var oldRoot = leaves.First(old).Root;
            var forked = new LeafList([.. Enumerable.Range(0, old - 1).Select(i => leaves[i]), Foreign]).Root;
            var proof = leaves.ConsistencyProof(old);
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

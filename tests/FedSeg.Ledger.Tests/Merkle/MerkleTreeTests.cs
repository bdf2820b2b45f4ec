using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Verifier.Proofs;
using FedSeg.Ledger.Verifier.Tree;

namespace FedSeg.Ledger.Tests.Merkle;

/// <summary>Vectors: the reference log of the certificate-transparency project, as in /work/shared/reference/egress-and-threats.md section 3.3.</summary>
public sealed class MerkleTreeTests
{
    private static readonly LeafList Leaves =
        new([.. new[] { "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f" }.Select(hex => MerkleHash.OfLeaf(Convert.FromHexString(hex)))]);

    public static TheoryData<int, string> Roots => new()
    {
        { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
        { 2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
        { 3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
        { 4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
        { 5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
        { 6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
        { 7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
        { 8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
    };

    [Theory]
    [MemberData(nameof(Roots))]
    public void Root_ReferenceLeaves_MatchesReference(int size, string expected) => Assert.Equal(expected, Leaves.First(size).Root.ToString());

    [Theory]
    [MemberData(nameof(Roots))]
    public void Frontier_ReferenceLeaves_MatchesReference(int size, string expected)
    {
        var frontier = new MerkleFrontier();
        for (var i = 0; i < size; i++) frontier.Add(Leaves[i]);

        Assert.Equal(expected, frontier.Root().ToString());
        Assert.Equal(expected, MerkleFrontier.Of(size, Leaves.Subtree).Root().ToString());
    }

    [Theory]
    [MemberData(nameof(Roots))]
    public void Verifier_ReferenceLeaves_MatchesReference(int size, string expected)
    {
        var tree = new GrowingRoot();
        for (var i = 0; i < size; i++) tree.Add(Leaves[i].Bytes.ToArray(), (_, _) => { });

        Assert.Equal(expected, Convert.ToHexStringLower(tree.Root()));
    }

    [Fact]
    public void Verifier_InclusionProofOfReference_LeadsToTheReferenceRoot()
    {
        var path = Leaves.InclusionProof(5).Select(hash => hash.Bytes.ToArray()).ToList();

        Assert.Equal(Leaves.Root.ToString(), Convert.ToHexStringLower(InclusionPath.Root(Leaves[5].Bytes.ToArray(), 5, 8, path)!));
        Assert.Null(InclusionPath.Root(Leaves[5].Bytes.ToArray(), 5, 9, path));
        Assert.Null(InclusionPath.Root(Leaves[5].Bytes.ToArray(), 8, 8, path));
    }

    [Fact]
    public void InclusionProof_LeafFiveOfEight_MatchesReference() => Assert.Equal(
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
        Leaves.InclusionProof(5).Select(hash => hash.ToString()));

    [Fact]
    public void ConsistencyProof_SixToEight_MatchesReference() => Assert.Equal(
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
        Leaves.ConsistencyProof(6).Select(hash => hash.ToString()));

    [Fact]
    public void InclusionProof_NoSuchLeaf_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Leaves.InclusionProof(8));
}

using FedSeg.Ledger.Verifier.Tree;

namespace FedSeg.Ledger.Verifier.Proofs;

/// <summary>The root that an entry's audit path leads to. Source: RFC 6962 section 2.1.1, read as a recursion over the tree's halves.</summary>
internal static class InclusionPath
{
    /// <returns>The root, or <see langword="null"/> when the path does not have the length of that place in a log of that size.</returns>
    public static byte[]? Root(byte[] leaf, long index, long size, IReadOnlyList<byte[]> path) =>
        index >= 0 && index < size ? Climb(leaf, index, size, path, path.Count) : null;

    private static byte[]? Climb(byte[] leaf, long index, long size, IReadOnlyList<byte[]> path, int length)
    {
        if (size == 1) return length == 0 ? leaf : null;
        if (length == 0) return null;

        var left = 1L;
        while (left * 2 < size) left *= 2;
        var sibling = path[length - 1];
        if (index < left) return Climb(leaf, index, left, path, length - 1) is { } below ? TreeHash.Node(below, sibling) : null;
        return Climb(leaf, index - left, size - left, path, length - 1) is { } right ? TreeHash.Node(sibling, right) : null;
    }
}

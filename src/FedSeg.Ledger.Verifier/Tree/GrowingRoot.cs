namespace FedSeg.Ledger.Verifier.Tree;

/// <summary>
/// The root of a log as its leaves come in, and the root of every complete tile of 256: a stack of the complete subtrees, as binary counting carries.
/// </summary>
internal sealed class GrowingRoot
{
    private readonly Stack<(int Height, byte[] Hash)> _complete = new();

    public long Size { get; private set; }

    /// <summary>Adds a leaf hash; hands over each root of 256, 256², … leaves that it completes, with its level.</summary>
    public void Add(byte[] leaf, Action<int, byte[]> tileComplete)
    {
        var (height, hash) = (0, leaf);
        Size++;
        while (_complete.TryPeek(out var left) && left.Height == height)
        {
            hash = TreeHash.Node(_complete.Pop().Hash, hash);
            height++;
            if (height % 8 == 0) tileComplete(height / 8, hash);
        }

        _complete.Push((height, hash));
    }

    public byte[] Root()
    {
        if (_complete.Count == 0) return TreeHash.Empty;
        return _complete.Skip(1).Aggregate(_complete.Peek().Hash, (right, left) => TreeHash.Node(left.Hash, right));
    }
}

using System.Buffers.Binary;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// A log as it stood when it was opened: its entries and the proofs about them. It may be opened while the writer is at work; an append in progress is not seen.
/// </summary>
public sealed class LedgerReader
{
    private readonly LedgerFolder _folder;
    private readonly MerkleHash[] _leaves;
    private readonly List<long> _offsets;

    private LedgerReader(LedgerFolder folder, LedgerScan scan)
    {
        _folder = folder;
        _leaves = [.. scan.Leaves];
        _offsets = scan.Offsets;
        Checkpoint = scan.Last!;
    }

    /// <summary>Entries in the log.</summary>
    public int Count => _leaves.Length;

    /// <summary>The last signed state.</summary>
    public SignedCheckpoint Checkpoint { get; }

    /// <summary>Opens a log and checks all of it against the public key in its folder.</summary>
    /// <exception cref="LedgerCorruptException">The files are not what the checkpoints vouch for.</exception>
    public static LedgerReader Open(string directory)
    {
        var folder = new LedgerFolder(directory);
        using var key = folder.ReadKey() ?? throw new LedgerCorruptException(directory, 0, "the public key 'key.pem' is missing or damaged");
        var scan = LedgerScan.Run(folder, key);
        return scan.Problem is { } problem
            ? throw new LedgerCorruptException(directory, problem.Index, problem.Text)
            : new LedgerReader(folder, scan);
    }

    /// <summary>All entries, oldest first.</summary>
    public IEnumerable<LedgerEntry> Entries()
    {
        using var stream = new FileStream(_folder.EntriesPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
        var prefix = new byte[sizeof(ushort)];
        for (var index = 0; index < _offsets.Count; index++)
        {
            stream.Position = _offsets[index];
            stream.ReadExactly(prefix);
            var bytes = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
            stream.ReadExactly(bytes);
            yield return LedgerEntry.FromBytes(bytes) ?? throw new LedgerCorruptException(_folder.Directory, index, "it changed while it was read");
        }
    }

    /// <summary>The hash of an entry.</summary>
    public MerkleHash Leaf(int index) => _leaves[index];

    /// <summary>Proof that an entry is in the log of <see cref="Checkpoint"/>; checked by <see cref="MerkleProof.Includes"/>.</summary>
    public IReadOnlyList<MerkleHash> InclusionProof(int index) => MerkleTree.InclusionProof(_leaves, index);

    /// <summary>Proof that the log still begins with its first <paramref name="oldSize"/> entries; checked by <see cref="MerkleProof.Extends"/>.</summary>
    public IReadOnlyList<MerkleHash> ConsistencyProof(int oldSize) => MerkleTree.ConsistencyProof(_leaves, oldSize);
}

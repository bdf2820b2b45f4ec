using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// The one writer of an append-only Merkle log. When <see cref="Append"/> returns, the entry, its leaf hash and a signed checkpoint that covers it are on the disk, in
/// that order, each flushed before the next. After a crash the part of an append that never returned is cut off at the next opening, and that is noted in the log.
/// </summary>
public sealed class LedgerWriter : IDisposable
{
    private readonly LedgerFolder _folder;
    private readonly string _origin;
    private readonly ECDsa _key;
    private readonly TimeProvider _time;
    private readonly FileStream _lock;
    private readonly Lock _gate = new();
    private MerkleFrontier _tree = new();
    private LedgerLengths _lengths;
    private bool _inDoubt;
    private bool _disposed;

    private LedgerWriter(LedgerFolder folder, string origin, ECDsa key, TimeProvider time)
    {
        (_folder, _origin, _key, _time) = (folder, origin, key, time);
        try
        {
            _lock = new FileStream(folder.LockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new LedgerInUseException(folder.Directory, error);
        }
    }

    /// <summary>The folder of the log.</summary>
    public string Directory => _folder.Directory;

    /// <summary>Opens a log for appending, or begins a new one in an empty folder.</summary>
    /// <param name="directory">The log's own folder; made when missing.</param>
    /// <param name="origin">See <see cref="Checkpoint.Origin"/>; must be the one the log was begun with.</param>
    /// <param name="key">The P-256 key pair the log was begun with. It stays the caller's.</param>
    /// <param name="time">Gives each entry its time.</param>
    /// <exception cref="LedgerCorruptException">The files are not what the checkpoints vouch for.</exception>
    /// <exception cref="LedgerInUseException">Another writer, here or in another process, has it open.</exception>
    public static LedgerWriter Open(string directory, string origin, ECDsa key, TimeProvider time)
    {
        if (!Checkpoint.IsOrigin(origin)) throw new ArgumentException("A log's origin is 1 to 128 printable ASCII characters without spaces and '+'.", nameof(origin));
        if (key.KeySize != 256) throw new ArgumentException($"A log is signed with a P-256 key, not with one of {key.KeySize} bits.", nameof(key));

        System.IO.Directory.CreateDirectory(directory);
        var writer = new LedgerWriter(new LedgerFolder(directory), origin, key, time);
        try
        {
            if (!File.Exists(writer._folder.KeyPath)) writer.Begin();
            writer.Load();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Appends one entry; durable when this returns. On an exception nothing may be done that the entry was to permit.</summary>
    /// <param name="action">See <see cref="LedgerEntry.Action"/>.</param>
    /// <param name="facts">See <see cref="LedgerEntry.Facts"/>.</param>
    /// <exception cref="IOException">The disk refused; the next append tries again from what is on it.</exception>
    /// <exception cref="LedgerCorruptException">After such a refusal the files no longer fit.</exception>
    /// <exception cref="ArgumentException">The entry is longer than <see cref="LedgerEntry.MaxBytes"/>.</exception>
    public LedgerReceipt Append(string action, IEnumerable<KeyValuePair<string, string>> facts)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_inDoubt) Load();
            return Write(action, facts);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _lock.Dispose();
        }
    }

    private LedgerReceipt Write(string action, IEnumerable<KeyValuePair<string, string>> facts)
    {
        var entry = new LedgerEntry(_tree.Size, _time.GetUtcNow(), action, facts.ToImmutableSortedDictionary(StringComparer.Ordinal));
        var bytes = entry.ToBytes();
        if (bytes.Length > LedgerEntry.MaxBytes) throw new ArgumentException($"A ledger entry has at most {LedgerEntry.MaxBytes} bytes, this one {bytes.Length}.", nameof(facts));
        var record = new byte[sizeof(ushort) + bytes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(record, (ushort)bytes.Length);
        bytes.CopyTo(record, sizeof(ushort));

        _inDoubt = true;
        var leaf = MerkleHash.OfLeaf(bytes);
        _tree.Add(leaf);
        AppendDurably(_folder.EntriesPath, _lengths.Entries, record);
        AppendDurably(_folder.LeavesPath, _lengths.Leaves, leaf.Bytes);
        var checkpoint = SignedCheckpoint.Sign(new Checkpoint(_origin, _tree.Size, _tree.Root()), _key);
        var note = Encoding.UTF8.GetBytes(checkpoint.Note);
        AppendDurably(_folder.CheckpointsPath, _lengths.Checkpoints, note);

        _lengths = new LedgerLengths(_lengths.Entries + record.Length, _lengths.Leaves + MerkleHash.Length, _lengths.Checkpoints + note.Length);
        _inDoubt = false;
        return new LedgerReceipt(entry, leaf, checkpoint);
    }

    private void Begin()
    {
        foreach (var path in new[] { _folder.EntriesPath, _folder.LeavesPath })
        {
            if (File.Exists(path) && new FileInfo(path).Length > 0) throw new LedgerCorruptException(Directory, 0, "the public key 'key.pem' is missing");
            Create(path, []);
        }

        Create(_folder.CheckpointsPath, Encoding.UTF8.GetBytes(SignedCheckpoint.Sign(new Checkpoint(_origin, 0, MerkleHash.EmptyRoot), _key).Note));

        // The key comes last and in one step: a folder with a key is a log that was begun completely, so emptied files can't pass for a new one.
        var partial = _folder.KeyPath + ".new";
        Create(partial, LedgerFolder.Encode(_key));
        File.Move(partial, _folder.KeyPath, overwrite: true);
    }

    private void Load()
    {
        using var publicKey = _folder.ReadKey() ?? throw new LedgerCorruptException(Directory, 0, "the public key 'key.pem' is damaged");
        if (!LedgerFolder.Encode(publicKey).AsSpan().SequenceEqual(LedgerFolder.Encode(_key)))
        {
            throw new LedgerCorruptException(Directory, 0, "it was begun with another key than the one it was opened with");
        }

        var scan = LedgerScan.Run(_folder, _key);
        if (scan.Problem is { } problem) throw new LedgerCorruptException(Directory, problem.Index, problem.Text);
        if (scan.Last!.Checkpoint.Origin != _origin) throw new LedgerCorruptException(Directory, 0, $"it belongs to '{scan.Last.Checkpoint.Origin}', not to '{_origin}'");

        (_tree, _lengths) = (ReplayedTree(scan.Leaves), scan.Good);
        _inDoubt = false;
        if (scan.Interrupted is not { } interrupted) return;

        Truncate(_folder.EntriesPath, _lengths.Entries);
        Truncate(_folder.LeavesPath, _lengths.Leaves);
        Truncate(_folder.CheckpointsPath, _lengths.Checkpoints);
        // A cut-off append and a cut-off file look alike; the note lets an auditor ask.
        Write("ledgerRepaired", [new("droppedEntryBytes", $"{interrupted.EntryBytes}"), new("droppedLeaf", interrupted.Leaf?.ToString() ?? "incomplete")]);
    }

    private static MerkleFrontier ReplayedTree(List<MerkleHash> leaves)
    {
        var tree = new MerkleFrontier();
        foreach (var leaf in leaves) tree.Add(leaf);
        return tree;
    }

    private static void AppendDurably(string path, long offset, ReadOnlySpan<byte> bytes)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.Position = offset;
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
    }

    private static void Create(string path, byte[] content)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }

    private static void Truncate(string path, long length)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.SetLength(length);
        stream.Flush(flushToDisk: true);
    }
}

/// <summary>Proof that an entry is durable.</summary>
/// <param name="Entry">The entry as it was written.</param>
/// <param name="Leaf">Its hash.</param>
/// <param name="Checkpoint">The signed state of the log that includes it.</param>
public sealed record LedgerReceipt(LedgerEntry Entry, MerkleHash Leaf, SignedCheckpoint Checkpoint);

/// <summary>Another writer has the log open.</summary>
public sealed class LedgerInUseException(string directory, Exception inner)
    : IOException($"The ledger in {directory} is open in another program. Stop the other agent, or give this one its own folder.", inner);

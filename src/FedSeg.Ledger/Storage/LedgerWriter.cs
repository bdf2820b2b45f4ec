using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Hosting.Storage;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// The one writer of an append-only Merkle log. When the task of <see cref="AppendAsync"/> completes, the entry, its leaf hash and a signed checkpoint that covers it are on
/// the disk, in that order, each flushed before the next. Entries that arrive while the disk is busy share the next commit. After a crash the part of a commit that never
/// completed is cut off at the next opening, and that is noted in the log.
/// </summary>
public sealed class LedgerWriter : IDisposable
{
    private readonly LedgerFolder _folder;
    private readonly ECDsa _key;
    private readonly TimeProvider _time;
    private readonly FileStream _lock;
    private readonly TileColumn _entries;
    private readonly List<TileColumn> _hashes = [];
    private readonly Lock _queueGate = new();
    private readonly Lock _fileGate = new();
    private List<PendingAppend> _queue = [];
    private bool _draining;
    private TileEdges _edges = new();
    private MerkleFrontier _tree = new();
    private MerkleHash _lastLeaf;
    private long _checkpointsEnd;
    private long _cosignedSize;
    private long _cosignedEnd;
    private bool _inDoubt;
    private bool _disposed;
    private LedgerCorruptException? _halted;

    private LedgerWriter(LedgerFolder folder, string origin, ECDsa key, TimeProvider time)
    {
        (_folder, Origin, _key, _time) = (folder, origin, key, time);
        _entries = folder.Entries();
        _lock = Lock(folder);
    }

    /// <summary>The folder of the log.</summary>
    public string Directory => _folder.Directory;

    /// <summary>See <see cref="Checkpoint.Origin"/>.</summary>
    public string Origin { get; }

    /// <summary>The log's public key, SubjectPublicKeyInfo in DER.</summary>
    public byte[] PublicKey => _key.ExportSubjectPublicKeyInfo();

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

        DurableFile.CreateDirectory(directory);
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

    /// <summary>Appends one entry; durable when the task completes. If it fails, nothing may be done that the entry was to permit.</summary>
    /// <param name="action">See <see cref="LedgerEntry.Action"/>.</param>
    /// <param name="facts">See <see cref="LedgerEntry.Facts"/>.</param>
    /// <exception cref="IOException">The disk refused; the next append tries again from what is on it.</exception>
    /// <exception cref="LedgerCorruptException">After such a refusal the files no longer fit, or the log was halted.</exception>
    /// <exception cref="ArgumentException">The entry is longer than <see cref="LedgerEntry.MaxBytes"/>.</exception>
    public Task<LedgerReceipt> AppendAsync(string action, IEnumerable<KeyValuePair<string, string>> facts)
    {
        var append = new PendingAppend(action, facts.ToImmutableSortedDictionary(StringComparer.Ordinal));
        lock (_queueGate)
        {
            _queue.Add(append);
            // Off the caller's thread: a commit waits for the disk, three times. Every end of it is told through the receipts.
            if (!_draining) _ = Task.Run(Drain);
            _draining = true;
        }

        return append.Receipt;
    }

    /// <summary>Whether this log's key signed a checkpoint of this log.</summary>
    public bool HasSigned(SignedCheckpoint checkpoint) => checkpoint.Checkpoint.Origin == Origin && checkpoint.IsSignedBy(_key);

    /// <summary>Refuses every append from now on: the log is known to be broken in a way that its own files don't show. Only a new writer ends that.</summary>
    public void Halt(long firstBadIndex, string problem)
    {
        lock (_fileGate) _halted = new LedgerCorruptException(Directory, firstBadIndex, problem);
    }

    /// <summary>
    /// Keeps a checkpoint of this log with a witness's signature, for proofs. On the disk when this returns. One that is older than the last kept proves nothing more and is
    /// left.
    /// </summary>
    /// <param name="cosigned">One of this log's checkpoints, cosigned.</param>
    /// <param name="witnessKey">The key that cosigned it.</param>
    /// <exception cref="ArgumentException">It is not this log's, or not cosigned by that key.</exception>
    public void KeepCosigned(SignedCheckpoint cosigned, ECDsa witnessKey)
    {
        if (!HasSigned(cosigned)) throw new ArgumentException("This checkpoint is not the log's own.", nameof(cosigned));
        if (cosigned.Cosignatures is not [var cosignature] || !cosignature.IsSignedBy(witnessKey, cosigned.Checkpoint))
        {
            throw new ArgumentException("This checkpoint is not cosigned by that key.", nameof(cosigned));
        }

        lock (_fileGate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (cosigned.Checkpoint.Size < _cosignedSize || cosigned.Note == NoteFile.ReadLast(_folder.CosignedPath, cosigned: true).Note?.Note) return;
            var keyPath = _folder.WitnessKeyPath(cosignature.KeyId);
            if (!File.Exists(keyPath))
            {
                DurableFile.CreateDirectory(Path.GetDirectoryName(keyPath)!);
                DurableFile.Write(keyPath, LedgerFolder.Encode(witnessKey));
            }

            NoteFile.Append(_folder.CosignedPath, _cosignedEnd, cosigned.Note);
            (_cosignedSize, _cosignedEnd) = (cosigned.Checkpoint.Size, _cosignedEnd + Encoding.UTF8.GetByteCount(cosigned.Note));
        }
    }

    public void Dispose()
    {
        lock (_fileGate)
        {
            _disposed = true;
            _lock.Dispose();
        }
    }

    private void Drain()
    {
        while (true)
        {
            List<PendingAppend> batch;
            lock (_queueGate)
            {
                var taken = Math.Min(_queue.Count, LedgerScan.MaxCommit);
                (batch, _queue) = (_queue[..taken], _queue[taken..]);
                _draining = taken > 0;
                if (taken == 0) return;
            }

            lock (_fileGate)
            {
                try
                {
                    ObjectDisposedException.ThrowIf(_disposed, this);
                    if (_halted is not null) throw _halted;
                    if (_inDoubt) Load();
                    Commit(batch);
                }
                catch (Exception error)
                {
                    // The edge of the queue: whatever happened, each caller must learn that its entry is not there.
                    foreach (var append in batch) append.Fail(error);
                }
            }
        }
    }

    private static FileStream Lock(LedgerFolder folder)
    {
        FileStream? held = null;
        IOException? inUse = null;
        // A verifier that looks whether somebody writes holds it for a moment.
        SpinWait.SpinUntil(TryLock, TimeSpan.FromMilliseconds(250));
        return held ?? throw new LedgerInUseException(folder.Directory, inUse!);

        bool TryLock()
        {
            try
            {
                held = new FileStream(folder.LockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error)
            {
                inUse = error;
            }

            return held is not null;
        }
    }

    private void Commit(List<PendingAppend> batch)
    {
        var (accepted, records, leaves) = (new List<PendingAppend>(), new List<ReadOnlyMemory<byte>>(), new List<MerkleHash>());
        var last = _lastLeaf;
        foreach (var append in batch)
        {
            append.Entry = new LedgerEntry(_tree.Size + leaves.Count, _time.GetUtcNow(), last, append.Action, append.Facts);
            var bytes = append.Entry.ToBytes();
            if (bytes.Length > LedgerEntry.MaxBytes)
            {
                append.Fail(new ArgumentException($"A ledger entry has at most {LedgerEntry.MaxBytes} bytes, this one {bytes.Length}."));
                continue;
            }

            accepted.Add(append);
            records.Add(Record(bytes));
            leaves.Add(last = MerkleHash.OfLeaf(bytes));
        }

        if (accepted.Count == 0) return;
        _inDoubt = true;
        _entries.Append(records);
        AppendHashes(leaves);
        _lastLeaf = last;
        var checkpoint = SignedCheckpoint.Sign(new Checkpoint(Origin, _tree.Size, _tree.Root()), _key);
        NoteFile.Append(_folder.CheckpointsPath, _checkpointsEnd, checkpoint.Note);
        _checkpointsEnd += Encoding.UTF8.GetByteCount(checkpoint.Note);
        _inDoubt = false;
        for (var i = 0; i < accepted.Count; i++) accepted[i].Complete(leaves[i], checkpoint);
    }

    private void AppendHashes(List<MerkleHash> leaves)
    {
        var made = new List<List<ReadOnlyMemory<byte>>>();
        foreach (var leaf in leaves)
        {
            _tree.Add(leaf);
            _edges.Add(leaf, (level, hash) =>
            {
                while (made.Count <= level) made.Add([]);
                made[level].Add(hash.Bytes.ToArray());
            });
        }

        for (var level = 0; level < made.Count; level++) Hashes(level).Append(made[level]);
    }

    private void Begin()
    {
        if (System.IO.Directory.Exists(Path.Combine(Directory, "tile"))) throw new LedgerCorruptException(Directory, 0, "the public key 'key.pem' is missing");
        NoteFile.Append(_folder.CheckpointsPath, 0, SignedCheckpoint.Sign(new Checkpoint(Origin, 0, MerkleHash.EmptyRoot), _key).Note);
        // The key comes last and in one step: a folder with a key is a log that was begun completely, so emptied files can't pass for a new one.
        DurableFile.Write(_folder.KeyPath, LedgerFolder.Encode(_key));
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
        var (origin, size, root) = scan.Last!.Checkpoint;
        if (origin != Origin) throw new LedgerCorruptException(Directory, 0, $"it belongs to '{origin}', not to '{Origin}'");

        _entries.CutTo(size, scan.EntriesEdgeBytes);
        for (var level = 0; level < scan.Edges.Levels || _folder.HasLevel(level); level++)
        {
            var count = TileEdges.Count(size, level);
            Hashes(level).CutTo(count, count % TileColumn.Width * MerkleHash.Length);
        }

        (_edges, _lastLeaf, _checkpointsEnd) = (scan.Edges, scan.LastLeaf, scan.CheckpointsEnd);
        _tree = MerkleFrontier.Of(size, new TileReader(_folder, size).Subtree);
        if (_tree.Root() != root) throw new LedgerCorruptException(Directory, 0, "the tiles changed while they were read");
        (var cosigned, _cosignedEnd) = NoteFile.ReadLast(_folder.CosignedPath, cosigned: true);
        _cosignedSize = cosigned?.Checkpoint.Size ?? 0;
        _inDoubt = false;
        if (scan.Interrupted is not { } interrupted) return;

        NoteFile.Append(_folder.CheckpointsPath, _checkpointsEnd, "");
        // A cut-off commit and a cut-off file look alike; the note lets an auditor ask.
        Commit([new PendingAppend("ledgerRepaired", Dropped(interrupted))]);
    }

    private static ImmutableSortedDictionary<string, string> Dropped(InterruptedCommit interrupted) =>
        new Dictionary<string, string>
        {
            ["droppedEntries"] = $"{interrupted.Leaves.Count}",
            ["droppedLeaf"] = interrupted.Leaves is [.., var last] ? last.ToString() : "none",
            ["tornBytes"] = $"{interrupted.TornBytes}",
        }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    private TileColumn Hashes(int level)
    {
        while (_hashes.Count <= level) _hashes.Add(_folder.Hashes(_hashes.Count));
        return _hashes[level];
    }

    private static ReadOnlyMemory<byte> Record(byte[] entry)
    {
        var record = new byte[sizeof(ushort) + entry.Length];
        BinaryPrimitives.WriteUInt16BigEndian(record, (ushort)entry.Length);
        entry.CopyTo(record, sizeof(ushort));
        return record;
    }

    /// <summary>One caller's entry on its way to the disk.</summary>
    private sealed class PendingAppend(string action, ImmutableSortedDictionary<string, string> facts)
    {
        private readonly TaskCompletionSource<LedgerReceipt> _receipt = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Action { get; } = action;

        public ImmutableSortedDictionary<string, string> Facts { get; } = facts;

        public LedgerEntry? Entry { get; set; }

        public Task<LedgerReceipt> Receipt => _receipt.Task;

        public void Complete(MerkleHash leaf, SignedCheckpoint checkpoint) => _receipt.SetResult(new LedgerReceipt(Entry!, leaf, checkpoint));

        public void Fail(Exception error) => _receipt.TrySetException(error);
    }
}

/// <summary>Proof that an entry is durable.</summary>
/// <param name="Entry">The entry as it was written.</param>
/// <param name="Leaf">Its hash.</param>
/// <param name="Checkpoint">A signed state of the log that includes it.</param>
public sealed record LedgerReceipt(LedgerEntry Entry, MerkleHash Leaf, SignedCheckpoint Checkpoint);

/// <summary>Another writer has the log open.</summary>
public sealed class LedgerInUseException(string directory, Exception inner)
    : IOException($"The ledger in {directory} is open in another program. Stop the other agent, or give this one its own folder.", inner);

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FedSeg.Ledger.Verifier.Notes;
using FedSeg.Ledger.Verifier.Tree;

namespace FedSeg.Ledger.Verifier.Folders;

/// <summary>
/// One pass over a ledger's folder: every entry against its leaf hash, number and predecessor, every tile, every signed checkpoint against the tree so far, every
/// cosignature, and no byte and no file that belongs to none of these.
/// </summary>
internal sealed class FolderVerification : IDisposable
{
    private readonly string _directory;
    private readonly HashSet<string> _filesRead = new(StringComparer.Ordinal);
    private readonly RecordFiles _entries;
    private readonly List<RecordFiles> _hashes = [];
    private readonly GrowingRoot _tree = new();
    private readonly NoteReader _checkpoints;
    private readonly NoteReader _cosigned;
    private readonly IReadOnlyList<LogState> _witnessed;
    private readonly byte[] _record = new byte[ushort.MaxValue];
    private VerifierKey? _key;
    private string _origin = "";
    private string _previous = Convert.ToHexStringLower(TreeHash.Empty);
    private int _nextWitnessed;
    private (long Size, string Root) _good = (0, Convert.ToHexStringLower(TreeHash.Empty));
    private long _cosignedSize;

    /// <param name="directory">The ledger's folder.</param>
    /// <param name="witnessed">States of this log that someone else vouches for, smallest first.</param>
    public FolderVerification(string directory, IReadOnlyList<LogState> witnessed)
    {
        (_directory, _witnessed) = (directory, witnessed);
        _entries = new RecordFiles(PathOf("tile", "entries"), _filesRead);
        _checkpoints = new NoteReader(PathOf("checkpoints"));
        _cosigned = new NoteReader(PathOf("cosigned"));
    }

    /// <param name="trusted">The key the log is known to be signed with; without one the folder's own is believed.</param>
    public Verdict Run(VerifierKey? trusted)
    {
        var problem = ReadKey(trusted) ?? ReadCheckpoints() ?? CheckNothingElse();
        return new Verdict(_good.Size, _good.Root, problem?.Index, problem?.Text, _cosignedSize);
    }

    public void Dispose()
    {
        _entries.Dispose();
        foreach (var column in _hashes) column.Dispose();
        _checkpoints.Dispose();
        _cosigned.Dispose();
    }

    private Problem? ReadKey(VerifierKey? trusted)
    {
        var path = PathOf("key.pem");
        if (!File.Exists(path)) return new Problem(0, "the public key 'key.pem' is missing");
        if (ExactKey(path) is not { } own) return new Problem(0, "the public key 'key.pem' is damaged");
        _filesRead.UnionWith([path, PathOf("checkpoints"), PathOf("cosigned"), PathOf("lock")]);
        _key = own;
        return trusted?.IsSameAs(own) == false ? new Problem(0, "the log is signed with another key than the one it was checked against") : null;
    }

    private Problem? ReadCheckpoints()
    {
        var notes = 0;
        while (_checkpoints.Next() is { } bytes)
        {
            if (CheckNote(bytes, first: notes++ == 0) is { } problem) return problem;
        }

        if (notes == 0) return new Problem(0, "there is no signed checkpoint");
        if (_checkpoints.Torn) return new Problem(_tree.Size, "a checkpoint is not there to its end; if the agent was stopped, it repairs and notes that when it starts");
        if (_nextWitnessed < _witnessed.Count) return new Problem(_tree.Size, $"a witness saw {_witnessed[^1].Size} entries, the log ends here: it was rolled back");
        return _cosigned.Next() is not null || _cosigned.Torn ? new Problem(_tree.Size, "'cosigned' holds what is no state of this log") : null;
    }

    private Problem? CheckNote(byte[] bytes, bool first)
    {
        var start = _tree.Size;
        if (SignedNote.Parse(bytes) is not { Signatures: [var signature] } note || LogState.Parse(note.Text) is not { } state || signature.Name != state.Origin)
        {
            return new Problem(start, "its checkpoint is not a signed note as the log writes them");
        }

        if (!_key!.Signed(signature, note.Text)) return new Problem(start, "its checkpoint is not signed by the log's key");
        if (first) _origin = state.Origin;
        if (state.Origin != _origin || (first ? state.Size != 0 : state.Size <= start)) return new Problem(start, "its checkpoint does not continue the one before it");

        while (_tree.Size < state.Size)
        {
            if (ReadEntry() is { } problem) return problem;
        }

        if (!_tree.Root().AsSpan().SequenceEqual(state.Root)) return new Problem(start, "the entries do not have the root that was signed for them");
        return CheckWitnesses(state, note.Text, start) ?? Accept(state);
    }

    private Problem? Accept(LogState state)
    {
        _good = (state.Size, Convert.ToHexStringLower(state.Root));
        return null;
    }

    private Problem? ReadEntry()
    {
        var index = _tree.Size;
        Span<byte> prefix = stackalloc byte[sizeof(ushort)];
        if (!_entries.Read(prefix)) return new Problem(index, "the entry is not there");
        var record = _record.AsMemory(0, BinaryPrimitives.ReadUInt16BigEndian(prefix));
        if (!_entries.Read(record.Span)) return new Problem(index, "the entry is not there to its end");

        var leaf = TreeHash.Leaf(record.Span);
        if (CheckHash(0, leaf) is { } other) return other;
        if (EntryHead.Parse(record) is not { } head) return new Problem(index, "the entry is not an entry's JSON");
        if (head.Index != index) return new Problem(index, "another entry stands in its place");
        // A changed entry whose hash was changed with it still breaks the chain at the next one. Unless a signature vouches for it, it is the one to name.
        if (head.Previous != _previous) return new Problem(Math.Max(_good.Size, index - 1), "the entries here do not follow each other");

        Problem? problem = null;
        _tree.Add(leaf, (level, root) => problem ??= CheckHash(level, root));
        _previous = Convert.ToHexStringLower(leaf);
        return problem ?? (_entries.Next() ? null : new Problem(index + 1, "bytes follow the last entry of a full file"));
    }

    /// <summary>Whether the next record of a level is this hash.</summary>
    private Problem? CheckHash(int level, byte[] hash)
    {
        while (_hashes.Count <= level) _hashes.Add(new RecordFiles(PathOf("tile", $"{_hashes.Count}"), _filesRead));
        Span<byte> stored = stackalloc byte[TreeHash.Bytes];
        // A record above the leaves stands for the 256^level entries that end here.
        var index = level == 0 ? _tree.Size : _tree.Size - (1L << 8 * level);
        if (!_hashes[level].Read(stored)) return new Problem(index, $"its hash in tile/{level} is not there");
        if (!hash.AsSpan().SequenceEqual(stored)) return new Problem(index, $"it and its hash in tile/{level} do not belong together");
        return _hashes[level].Next() ? null : new Problem(index + 1, $"bytes follow a full file of tile/{level}");
    }

    /// <summary>Holds a state that the log signed against what witnesses say of logs of that size.</summary>
    private Problem? CheckWitnesses(LogState state, string text, long start)
    {
        for (; _nextWitnessed < _witnessed.Count && _witnessed[_nextWitnessed].Size <= state.Size; _nextWitnessed++)
        {
            var witnessed = _witnessed[_nextWitnessed];
            if (witnessed.Size != state.Size || witnessed.Origin != state.Origin || !witnessed.Root.AsSpan().SequenceEqual(state.Root))
            {
                return new Problem(FirstAfterWitnessed(), $"a witness saw another log of {witnessed.Size} entries: this one was rewritten");
            }
        }

        while (_cosigned.PeekText() == text)
        {
            if (!IsCosigned(_cosigned.Next()!)) return new Problem(start, "a cosignature of its checkpoint is damaged or its witness's key is missing");
            _cosignedSize = state.Size;
        }

        return null;
    }

    private long FirstAfterWitnessed() => _nextWitnessed == 0 ? 0 : _witnessed[_nextWitnessed - 1].Size;

    private bool IsCosigned(byte[] bytes)
    {
        if (SignedNote.Parse(bytes) is not { Signatures: [var own, var witness] } note || !_key!.Signed(own, note.Text)) return false;
        var path = PathOf("witnesses", Convert.ToHexStringLower(witness.KeyId) + ".pem");
        if (!File.Exists(path) || ExactKey(path) is not { } key) return false;
        _filesRead.Add(path);
        return key.Cosigned(witness, note.Text);
    }

    private Problem? CheckNothingElse()
    {
        var files = new[] { _entries }.Concat(_hashes);
        if (files.Any(column => !column.AtEnd)) return new Problem(_tree.Size, "bytes follow the last signed entry; an interrupted commit is repaired and noted when the agent starts");
        var extra = Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories).FirstOrDefault(path => !_filesRead.Contains(path));
        return extra is null ? null : new Problem(_tree.Size, $"'{Path.GetRelativePath(_directory, extra)}' belongs to no entry");
    }

    /// <summary>A key file, when it is exactly what this key's file would be; any other byte is damage.</summary>
    private static VerifierKey? ExactKey(string path)
    {
        try
        {
            var text = Encoding.UTF8.GetString(File.ReadAllBytes(path));
            using var key = ECDsa.Create();
            key.ImportFromPem(text);
            return key.ExportSubjectPublicKeyInfoPem() + "\n" == text ? VerifierKey.Parse(text) : null;
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or FormatException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    private string PathOf(params string[] names) => Path.Combine([_directory, .. names]);

    private sealed record Problem(long Index, string Text);
}

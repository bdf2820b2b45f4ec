using System.Buffers.Binary;
using FedSeg.Ledger.Merkle;

namespace FedSeg.Ledger.Storage;

/// <summary>Reads a column's records one after the other, from file to file.</summary>
internal sealed class TileCursor(TileColumn column) : IDisposable
{
    private FileStream? _file;

    /// <summary>Records read.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes of the records read from the current file; 0 when it was read to its end.</summary>
    public long BytesInFile { get; private set; }

    /// <summary>Bytes after the last whole record that was read, in its file and in any after it (a full one counts as endless).</summary>
    public long BytesBehind
    {
        get
        {
            var here = Current is { } file ? file.Length - BytesInFile : 0;
            using var next = column.OpenRead(Count / TileColumn.Width + 1);
            return next is null ? here : long.MaxValue;
        }
    }

    /// <summary>Reads the next length-prefixed entry.</summary>
    /// <returns>Its length in <paramref name="buffer"/>, or <see langword="null"/> when it is not there to its end.</returns>
    public int? ReadEntry(byte[] buffer)
    {
        Span<byte> prefix = stackalloc byte[sizeof(ushort)];
        if (!Read(prefix)) return null;
        var length = BinaryPrimitives.ReadUInt16BigEndian(prefix);
        if (!Read(buffer.AsSpan(0, length))) return null;
        Step(prefix.Length + length);
        return length;
    }

    /// <summary>Reads the next hash; <see langword="false"/> when it is not there to its end.</summary>
    public bool ReadHash(Span<byte> hash)
    {
        if (!Read(hash)) return false;
        Step(MerkleHash.Length);
        return true;
    }

    /// <summary>Reads what is left of a torn record, at most <paramref name="limit"/> bytes.</summary>
    public byte[] ReadTorn(int limit)
    {
        if (Current is not { } file) return [];
        file.Position = BytesInFile;
        var bytes = new byte[(int)Math.Min(limit, file.Length - BytesInFile)];
        file.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose() => _file?.Dispose();

    private FileStream? Current => _file ??= column.OpenRead(Count / TileColumn.Width);

    private bool Read(Span<byte> bytes) => Current is { } file && file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;

    private void Step(int bytes)
    {
        Count++;
        BytesInFile += bytes;
        if (Count % TileColumn.Width != 0) return;
        // The rest of the file, if any, is nobody's record: a full file with bytes behind it must not pass.
        if (_file!.Position != _file.Length) return;
        _file.Dispose();
        (_file, BytesInFile) = (null, 0);
    }
}

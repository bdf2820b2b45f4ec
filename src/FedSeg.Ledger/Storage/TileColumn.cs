using FedSeg.Hosting.Storage;

namespace FedSeg.Ledger.Storage;

/// <summary>
/// Append-only records in files of 256, named and cut as C2SP tlog-tiles has them: full files as <c>x001/x234/067</c>, the growing one as <c>x001/x234/067.p/W</c> with W
/// records. The growing file is appended to in place and renamed to its new width, so its name may lag behind after a crash; what is in it never does.
/// </summary>
internal sealed class TileColumn(string directory)
{
    /// <summary>Records in a full file.</summary>
    public const int Width = 256;

    private long _count;
    private long _edgeBytes;

    /// <summary>Makes the column end after its first <paramref name="count"/> records; what lies behind them goes.</summary>
    /// <param name="count">Records that stay.</param>
    /// <param name="edgeBytes">Their bytes in the last, growing file.</param>
    public void CutTo(long count, long edgeBytes)
    {
        (_count, _edgeBytes) = (count, edgeBytes);
        var (tile, width) = (count / Width, count % Width);
        for (var extra = width == 0 ? tile : tile + 1; File.Exists(FullPath(extra)) || Directory.Exists(EdgeFolder(extra)); extra++) Remove(extra);
        if (width == 0) return;

        var path = Find(tile) ?? throw new FileNotFoundException("The ledger's growing file is missing.", FullPath(tile));
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
        {
            if (stream.Length != edgeBytes)
            {
                stream.SetLength(edgeBytes);
                DurableFile.Flush(stream);
            }
        }

        if (path == EdgePath(tile, width)) return;
        DurableFile.CreateDirectory(EdgeFolder(tile));
        DurableFile.Publish(path, EdgePath(tile, width));
    }

    /// <summary>Appends records; they are on the disk when this returns.</summary>
    public void Append(IReadOnlyList<ReadOnlyMemory<byte>> records)
    {
        for (var done = 0; done < records.Count;)
        {
            var width = (int)(_count % Width);
            var taken = Math.Min(Width - width, records.Count - done);
            AppendToEdge(_count / Width, width, Joined(records, done, taken), taken);
            done += taken;
        }
    }

    /// <summary>Opens a file of the column for reading, full or growing; <see langword="null"/> when there is none. The writer may be at work.</summary>
    public FileStream? OpenRead(long tile)
    {
        const int attempts = 10;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Find(tile) is { } path
                    ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16)
                    : null;
            }
            catch (IOException error) when (attempt < attempts && error is FileNotFoundException or DirectoryNotFoundException)
            {
                // Renamed between the look and the opening: it is there under its new name.
            }
        }
    }

    private void AppendToEdge(long tile, int width, byte[] bytes, int records)
    {
        var (path, after) = (EdgePath(tile, width), EdgePath(tile, width + records));
        if (width == 0)
        {
            DurableFile.CreateDirectory(EdgeFolder(tile));
            path = after + ".new";
        }

        using (var stream = new FileStream(path, width == 0 ? FileMode.Create : FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
        {
            stream.Position = _edgeBytes;
            stream.Write(bytes);
            DurableFile.Flush(stream);
        }

        if (width + records == Width)
        {
            DurableFile.Publish(path, FullPath(tile));
            Directory.Delete(EdgeFolder(tile), recursive: true);
        }
        else if (width == 0)
        {
            DurableFile.Publish(path, after);
        }
        else
        {
            File.Move(path, after);
        }

        _count += records;
        _edgeBytes = _count % Width == 0 ? 0 : _edgeBytes + bytes.Length;
    }

    private static byte[] Joined(IReadOnlyList<ReadOnlyMemory<byte>> records, int first, int count)
    {
        var length = 0;
        for (var i = first; i < first + count; i++) length += records[i].Length;
        var bytes = new byte[length];
        var end = 0;
        for (var i = first; i < first + count; end += records[i++].Length) records[i].CopyTo(bytes.AsMemory(end));
        return bytes;
    }

    private string? Find(long tile)
    {
        if (File.Exists(FullPath(tile))) return FullPath(tile);
        return Directory.Exists(EdgeFolder(tile))
            ? Directory.EnumerateFiles(EdgeFolder(tile)).FirstOrDefault(path => Path.GetFileName(path).All(char.IsAsciiDigit))
            : null;
    }

    private void Remove(long tile)
    {
        File.Delete(FullPath(tile));
        if (Directory.Exists(EdgeFolder(tile))) Directory.Delete(EdgeFolder(tile), recursive: true);
    }

    private string FullPath(long tile)
    {
        const int group = 1000;
        var path = (tile % group).ToString("000");
        for (var rest = tile / group; rest > 0; rest /= group) path = Path.Combine($"x{rest % group:000}", path);
        return Path.Combine(directory, path);
    }

    private string EdgeFolder(long tile) => FullPath(tile) + ".p";

    private string EdgePath(long tile, long width) => Path.Combine(EdgeFolder(tile), width.ToString());
}

namespace FedSeg.Ledger.Verifier.Folders;

/// <summary>The bytes of a column of tlog-tiles files, 256 records each, one record after the other; remembers which files it read.</summary>
internal sealed class RecordFiles(string directory, ISet<string> filesRead) : IDisposable
{
    private const int PerFile = 256;
    private FileStream? _file;
    private long _index;

    /// <summary>Reads the next <paramref name="bytes"/> of the current record; <see langword="false"/> when they are not there.</summary>
    public bool Read(Span<byte> bytes)
    {
        _file ??= OpenFileOf(_index / PerFile);
        return _file is not null && _file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
    }

    /// <summary>Goes to the next record.</summary>
    /// <returns><see langword="false"/> when a full file goes on behind its last record.</returns>
    public bool Next()
    {
        if (++_index % PerFile != 0) return true;
        var clean = AtEnd;
        Dispose();
        return clean;
    }

    /// <summary>Whether nothing follows in the current file.</summary>
    public bool AtEnd => _file is null || _file.Position == _file.Length;

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private FileStream? OpenFileOf(long number)
    {
        var name = $"{number % 1000:000}";
        for (number /= 1000; number > 0; number /= 1000) name = Path.Combine($"x{number % 1000:000}", name);
        var full = Path.Combine(directory, name);
        // The growing file is the one in the .p folder; its name, a width, may lag behind after a crash.
        var growing = Directory.Exists(full + ".p") ? Directory.GetFiles(full + ".p").Where(path => IsWidth(Path.GetFileName(path))).ToArray() : [];
        var path = File.Exists(full) ? full : growing.Length == 1 ? growing[0] : null;
        if (path is null) return null;
        filesRead.Add(path);
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static bool IsWidth(string name) => name.Length is >= 1 and <= 3 && name[0] != '0' && name.All(char.IsAsciiDigit) && int.Parse(name) < PerFile;
}

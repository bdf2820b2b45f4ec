using System.Security.Cryptography;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Storage;

namespace FedSeg.Protocol.Transfer;

/// <summary>
/// A file that arrives in pieces, over as many connections as it takes. Its SHA-256 grows with it, so a complete file is proven without being read again; only what lay
/// there before a cut is read once.
/// </summary>
public sealed class IncomingFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly Writeback? _writeback;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private IncomingFile(FileStream stream, bool toBeFlushed)
    {
        _stream = stream;
        _writeback = toBeFlushed ? new Writeback(stream) : null;
    }

    /// <summary>Bytes that have arrived.</summary>
    public long Length { get; private set; }

    /// <summary>SHA-256 of what has arrived.</summary>
    public Sha256Digest Digest => Sha256Digest.FromHash(_hash.GetCurrentHash());

    /// <summary>Opens a file to go on with, or a new one. Nobody else may open it meanwhile.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops reading what is there.</param>
    /// <param name="toBeFlushed">Whether <see cref="Flush"/> will be asked for: the disk then begins early.</param>
    /// <exception cref="IOException">The file can't be opened or read.</exception>
    public static async Task<IncomingFile> OpenAsync(string path, CancellationToken cancellationToken, bool toBeFlushed = false)
    {
        var file = new IncomingFile(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0), toBeFlushed);
        try
        {
            await file.HashWhatIsThereAsync(cancellationToken);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds the next piece. It goes to the page cache at once, which costs less than a task that waits for it.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _writeback?.Wrote();
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Forgets what has arrived: it was not what it should be.</summary>
    public void Clear()
    {
        _stream.SetLength(0);
        _hash.GetHashAndReset();
        Length = 0;
    }

    /// <summary>When this returns, every byte that has arrived is on the disk.</summary>
    public void Flush() => Fsync.Flush(_stream);

    public void Dispose()
    {
        _hash.Dispose();
        _stream.Dispose();
    }

    private async Task HashWhatIsThereAsync(CancellationToken cancellationToken)
    {
        if (_stream.Length == 0) return;
        var buffer = new byte[FileChunks.ChunkBytes];
        int read;
        while ((read = await _stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            _hash.AppendData(buffer.AsSpan(0, read));
            Length += read;
        }
    }
}

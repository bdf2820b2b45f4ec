using System.IO.Hashing;
using System.Runtime.CompilerServices;
using FedSeg.Protocol.V1;
using Google.Protobuf;

namespace FedSeg.Protocol.Transfer;

/// <summary>
/// Cuts a stored file into the pieces that travel. Whoever receives one gets it as an array of its own: larger ones would be large objects, which cost a receiver eight
/// times the processor time; smaller ones cost more calls.
/// </summary>
public static class FileChunks
{
    /// <summary>Bytes of every chunk but the last.</summary>
    public const int ChunkBytes = 64 * 1024;

    /// <summary>Fewest bytes of a chunk that another one follows: tiny ones would cost the receiver more than they bring.</summary>
    public const int MinimumChunkBytes = 32 * 1024;

    /// <summary>Whether a chunk's bytes are those that were sent.</summary>
    public static bool IsWhole(Chunk chunk) => chunk.Checksum == XxHash3.HashToUInt64(chunk.Data.Span);

    /// <summary>The rest of <paramref name="stream"/> in chunks. A chunk is valid until the next one is asked for.</summary>
    public static async IAsyncEnumerable<Chunk> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[ChunkBytes];
        int read;
        // Without the thread pool between: the bytes are in the page cache or come by read-ahead, and a task for each of them would cost more than the read.
        while ((read = stream.ReadAtLeast(buffer, ChunkBytes, throwOnEndOfStream: false)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Wrapped, not copied: gRPC serialises the message before the caller asks for the next one.
            yield return Of(buffer.AsMemory(0, read));
        }
    }

    /// <summary>The bytes of a stored file from <paramref name="offset"/> on, in chunks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset lies outside the file.</exception>
    public static async IAsyncEnumerable<Chunk> ReadFileAsync(string path, long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, stream.Length);
        stream.Position = offset;
        await foreach (var chunk in ReadAsync(stream, cancellationToken)) yield return chunk;
    }

    /// <summary>A chunk over bytes that stay the caller's.</summary>
    public static Chunk Of(ReadOnlyMemory<byte> bytes) => new() { Data = UnsafeByteOperations.UnsafeWrap(bytes), Checksum = XxHash3.HashToUInt64(bytes.Span) };
}

using System.Runtime.CompilerServices;
using FedSeg.Protocol.V1;
using Google.Protobuf;

namespace FedSeg.Protocol.Transfer;

/// <summary>Cuts a stored file into the pieces that travel. Larger pieces leave the array pool, smaller ones cost a round trip each.</summary>
public static class FileChunks
{
    /// <summary>Bytes of every chunk but the last.</summary>
    public const int ChunkBytes = 256 * 1024;

    /// <summary>The rest of <paramref name="stream"/> in chunks. A chunk is valid until the next one is asked for.</summary>
    public static async IAsyncEnumerable<Chunk> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[ChunkBytes];
        int read;
        while ((read = await stream.ReadAtLeastAsync(buffer, ChunkBytes, throwOnEndOfStream: false, cancellationToken)) > 0)
        {
            // Wrapped, not copied: gRPC serialises the message before the caller asks for the next one.
            yield return new Chunk { Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read)) };
        }
    }

    /// <summary>The bytes of a stored file from <paramref name="offset"/> on, in chunks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset lies outside the file.</exception>
    public static async IAsyncEnumerable<Chunk> ReadFileAsync(string path, long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, stream.Length);
        stream.Position = offset;
        await foreach (var chunk in ReadAsync(stream, cancellationToken)) yield return chunk;
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FedSeg.SecureAggregation.Masking;

/// <summary>
/// A key's stream of 32-bit words: the AES-256-GCM encryption of zeros, in chunks, each with its number as nonce, read as little-endian
/// words. Any chunk can be made without those before it. A key serves one stream.
/// </summary>
internal sealed class MaskStream : IDisposable
{
    /// <summary>Words of a chunk: 256 KiB, which stay in the processor's cache.</summary>
    public const int ChunkWords = 1 << 16;

    private const int NonceBytes = 12, TagBytes = 16;
    private static readonly byte[] Zeros = new byte[ChunkWords * sizeof(uint)];
    private readonly AesGcm _cipher;

    /// <param name="key">32 bytes; not needed afterwards.</param>
    public MaskStream(ReadOnlySpan<byte> key) => _cipher = new AesGcm(key, TagBytes);

    /// <summary>The first words of a chunk.</summary>
    public void Read(long chunk, Span<uint> words)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[^sizeof(long)..], chunk);
        Span<byte> tag = stackalloc byte[TagBytes];
        var bytes = MemoryMarshal.AsBytes(words);
        _cipher.Encrypt(nonce, Zeros.AsSpan(0, bytes.Length), bytes, tag);
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(words, words);
    }

    public void Dispose() => _cipher.Dispose();
}

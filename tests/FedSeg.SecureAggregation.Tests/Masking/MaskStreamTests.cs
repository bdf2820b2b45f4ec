using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedSeg.SecureAggregation.Masking;

namespace FedSeg.SecureAggregation.Tests.Masking;

public sealed class MaskStreamTests
{
    /// <summary>McGrew and Viega, The Galois/Counter Mode of Operation, test case 14: AES-256, key, nonce and plaintext 0.</summary>
    [Fact]
    public void Read_ZeroKeyChunkZero_IsTheGcmTestVector()
    {
        using var stream = new MaskStream(new byte[32]);
        var words = new uint[4];

        stream.Read(0, words);

        Assert.Equal("cea7403d4d606b6e074ec5d3baf39d18", Convert.ToHexStringLower(MemoryMarshal.AsBytes<uint>(words)));
    }

    /// <summary>Counter mode by its definition: GCM's data blocks start at counter 2 (NIST SP 800-38D, section 7.1).</summary>
    [Theory]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(0x1_0000_0001L)]
    public void Read_AnyChunk_IsAesOfItsCounters(long chunk)
    {
        var key = SHA256.HashData("key"u8);
        using var stream = new MaskStream(key);
        using var aes = Aes.Create();
        aes.Key = key;
        var words = new uint[MaskStream.ChunkWords];

        stream.Read(chunk, words);

        var bytes = MemoryMarshal.AsBytes<uint>(words);
        foreach (var block in new[] { 0, 1, 4095, bytes.Length / 16 - 1 })
        {
            var counter = new byte[16];
            BinaryPrimitives.WriteInt64BigEndian(counter.AsSpan(4), chunk);
            BinaryPrimitives.WriteInt32BigEndian(counter.AsSpan(12), block + 2);
            Assert.Equal(aes.EncryptEcb(counter, PaddingMode.None), bytes.Slice(16 * block, 16).ToArray());
        }
    }

    [Fact]
    public void Read_ShorterPiece_IsTheBeginningOfTheChunk()
    {
        using var stream = new MaskStream(SHA256.HashData("key"u8));
        uint[] whole = new uint[MaskStream.ChunkWords], piece = new uint[1001];

        stream.Read(3, whole);
        stream.Read(3, piece);

        Assert.Equal(whole[..1001], piece);
    }
}

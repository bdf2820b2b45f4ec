using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using FedSeg.Testing;
using Google.Protobuf;

namespace FedSeg.Protocol.Tests.Transfer;

public sealed class FileChunksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(FileChunks.ChunkBytes, 1)]
    [InlineData(FileChunks.ChunkBytes + 1, 2)]
    [InlineData(3 * FileChunks.ChunkBytes, 3)]
    public async Task ReadFileAsync_AnyLength_GivesEveryByteInFullChunks(int length, int chunks)
    {
        var bytes = Write(length);

        var read = await ReadAsync(offset: 0);

        Assert.Equal(chunks, read.Count);
        Assert.All(read.SkipLast(1), chunk => Assert.Equal(FileChunks.ChunkBytes, chunk.Length));
        Assert.Equal(bytes, read.SelectMany(chunk => chunk));
    }

    [Fact]
    public async Task ReadFileAsync_FromAnOffset_GivesTheRest() => Assert.Equal(Write(1000).Skip(300), (await ReadAsync(offset: 300)).SelectMany(chunk => chunk));

    [Theory]
    [InlineData(-1)]
    [InlineData(1001)]
    public async Task ReadFileAsync_OffsetOutsideTheFile_IsRefused(long offset)
    {
        Write(1000);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ReadAsync(offset));
    }

    [Fact]
    public void IsWhole_OneBitChanged_IsFalse()
    {
        var chunk = FileChunks.Of(new byte[1000]);
        Assert.True(FileChunks.IsWhole(chunk));

        var damaged = chunk.Data.ToByteArray();
        damaged[500] ^= 1;
        Assert.False(FileChunks.IsWhole(new Chunk { Data = ByteString.CopyFrom(damaged), Checksum = chunk.Checksum }));
    }

    [Fact]
    public void Of_EmptyData_HasTheChecksumOfTheSpecification() => Assert.Equal(0x2D06800538D394C2UL, FileChunks.Of(default).Checksum);

    private byte[] Write(int length)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(_folder["file"], bytes);
        return bytes;
    }

    private async Task<List<byte[]>> ReadAsync(long offset)
    {
        var chunks = new List<byte[]>();
        await foreach (var chunk in FileChunks.ReadFileAsync(_folder["file"], offset, Token))
        {
            Assert.True(FileChunks.IsWhole(chunk));
            chunks.Add(chunk.Data.ToByteArray());
        }

        return chunks;
    }
}

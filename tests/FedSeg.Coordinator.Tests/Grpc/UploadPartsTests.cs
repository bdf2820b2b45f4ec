using FedSeg.Coordinator.Grpc;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.Coordinator.Tests.Grpc;

public sealed class UploadPartsTests
{
    private static readonly TransferPace Pace = new(16_000, TimeSpan.FromSeconds(30));
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ChunksAsync_WholeChunks_AllArrive() =>
        Assert.Equal([FileChunks.ChunkBytes, FileChunks.ChunkBytes, 5], await LengthsAsync(Chunk(FileChunks.ChunkBytes), Chunk(FileChunks.ChunkBytes), Chunk(5)));

    [Fact]
    public async Task ChunksAsync_DamagedChunk_EndsBeforeIt()
    {
        var damaged = Chunk(FileChunks.ChunkBytes);
        damaged.Chunk.Checksum++;

        Assert.Equal([FileChunks.ChunkBytes], await LengthsAsync(Chunk(FileChunks.ChunkBytes), damaged, Chunk(FileChunks.ChunkBytes)));
    }

    [Fact]
    public async Task ChunksAsync_TinyChunkBeforeTheLast_IsRefused()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => LengthsAsync(Chunk(FileChunks.MinimumChunkBytes - 1), Chunk(1)));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task ChunksAsync_SecondHeader_IsRefused()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => LengthsAsync(Chunk(FileChunks.ChunkBytes), new UploadPart { Header = new UploadHeader() }));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task NextAsync_SenderFallsSilent_IsCutOff()
    {
        var parts = new UploadParts(new SilentSender(), Pace, _time, Token);
        var next = parts.NextAsync();

        _time.Advance(Pace.Window);

        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
    }

    /// <summary>Between header and chunks the coordinator reads what it has already; of a large upload that takes longer than a window.</summary>
    [Fact]
    public async Task ChunksAsync_AfterALongLookAtWhatIsThere_SenderHasItsWholeWindow()
    {
        var parts = new UploadParts(new Sender([new UploadPart { Header = new UploadHeader() }, Chunk(5)]), Pace, _time, Token);
        await parts.NextAsync();
        _time.Advance(2 * Pace.Window);

        var lengths = new List<int>();
        await foreach (var chunk in parts.ChunksAsync(Token)) lengths.Add(chunk.Length);
        Assert.Equal([5], lengths);
    }

    private static UploadPart Chunk(int bytes) => new() { Chunk = FileChunks.Of(new byte[bytes]) };

    private async Task<List<int>> LengthsAsync(params UploadPart[] sent)
    {
        var lengths = new List<int>();
        await foreach (var chunk in new UploadParts(new Sender(sent), Pace, _time, Token).ChunksAsync(Token)) lengths.Add(chunk.Length);
        return lengths;
    }

    private sealed class Sender(IReadOnlyList<UploadPart> parts) : IAsyncStreamReader<UploadPart>
    {
        private int _next;

        public UploadPart Current => parts[_next - 1];

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(_next++ < parts.Count);
    }

    private sealed class SilentSender : IAsyncStreamReader<UploadPart>
    {
        public UploadPart Current => throw new InvalidOperationException("Nothing was sent.");

        public Task<bool> MoveNext(CancellationToken cancellationToken) => new TaskCompletionSource<bool>().Task;
    }
}

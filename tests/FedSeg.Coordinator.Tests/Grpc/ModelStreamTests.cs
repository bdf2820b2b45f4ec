using FedSeg.Coordinator.Grpc;
using FedSeg.Federation.Identity;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;

namespace FedSeg.Coordinator.Tests.Grpc;

public sealed class ModelStreamTests : IDisposable
{
    private static readonly TransferPace Pace = new(16_000, TimeSpan.FromSeconds(30));
    private readonly CoordinatorOnDisk _coordinator = new();

    public void Dispose() => _coordinator.Dispose();

    [Fact]
    public async Task SendAsync_ReaderTakesNothing_IsCutOffAndLeavesNoWriteBehind()
    {
        var reader = new StuckReader();
        var sending = SendAsync(reader, CoordinatorOnDisk.Token);

        _coordinator.Time.Advance(Pace.Window);

        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => sending)).StatusCode);
        Assert.True(reader.Pending!.IsCanceled);
    }

    [Fact]
    public async Task SendAsync_CallIsCancelled_LeavesNoWriteBehind()
    {
        using var call = CancellationTokenSource.CreateLinkedTokenSource(CoordinatorOnDisk.Token);
        var reader = new StuckReader();
        var sending = SendAsync(reader, call.Token);

        await call.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.True(reader.Pending!.IsCanceled);
    }

    private Task SendAsync(StuckReader reader, CancellationToken cancellationToken)
    {
        byte[] bytes = [1, 2, 3];
        var digest = Sha256Digest.Of(bytes);
        var incoming = _coordinator.Blobs.IncomingPath("run", "model");
        Directory.CreateDirectory(Path.GetDirectoryName(incoming)!);
        File.WriteAllBytes(incoming, bytes);
        _coordinator.Blobs.Adopt(incoming, digest);
        return ModelStream.SendAsync(_coordinator.Blobs, digest, 0, reader, Pace, _coordinator.Telemetry, _coordinator.Time, cancellationToken);
    }

    /// <summary>Its window is full: a write ends only when it is taken back.</summary>
    private sealed class StuckReader : IServerStreamWriter<Chunk>
    {
        public Task? Pending { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(Chunk message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(Chunk message, CancellationToken cancellationToken)
        {
            var pending = new TaskCompletionSource();
            cancellationToken.Register(() => pending.SetCanceled(cancellationToken));
            return Pending = pending.Task;
        }
    }
}

using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FedSeg.SiteAgent.Tests.Coordinator;

/// <summary>A coordinator that has one model and keeps what arrives of one update, over real TLS.</summary>
internal sealed class KeepingCoordinator : IAsyncDisposable
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TlsServer _host = null!;

    public string Address => _host.Address;

    public required string ModelPath { get; init; }

    /// <summary>What arrived of the update.</summary>
    public MemoryStream Kept { get; } = new();

    /// <summary>Bytes of the model after which nothing more comes, though the line stays open.</summary>
    public long? StallsAfter { get; set; }

    /// <summary>Whether the line breaks while the sender of an update stands in a write.</summary>
    public bool BreaksUploads { get; set; }

    /// <summary>The first transfer has begun.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Where each transfer began.</summary>
    public List<long> Offsets { get; } = [];

    public static async Task<KeepingCoordinator> StartAsync(string root, FederationAuthority authority)
    {
        var coordinator = new KeepingCoordinator { ModelPath = Path.Combine(root, "model") };
        coordinator._host = await TlsServer.StartAsync(root, authority, coordinator, app => app.MapGrpcService<Door>());
        return coordinator;
    }

    private void Begin(long offset)
    {
        Offsets.Add(offset);
        _begun.TrySetResult();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private sealed class Door(KeepingCoordinator coordinator) : Protocol.V1.Federation.FederationBase
    {
        public override async Task DownloadModel(DownloadRequest request, IServerStreamWriter<Chunk> responseStream,
            ServerCallContext context)
        {
            coordinator.Begin(request.Offset);
            var sent = 0L;
            await foreach (var chunk in FileChunks.ReadFileAsync(coordinator.ModelPath, request.Offset, context.CancellationToken))
            {
                if (sent >= coordinator.StallsAfter) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
                await responseStream.WriteAsync(chunk);
                sent += chunk.Data.Length;
            }
        }

        public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context) =>
            Task.FromResult(new UploadOffset { Offset = coordinator.Kept.Length });

        public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                if (requestStream.Current.Header is { } header)
                {
                    coordinator.Begin(header.Offset);
                    if (coordinator.BreaksUploads) await BreakAsync(context.GetHttpContext(), requestStream.Current.CalculateSize());
                }
                else coordinator.Kept.Write(requestStream.Current.Chunk.Data.Span);
            }

            return new UploadReceipt { Accepted = true };
        }

        /// <summary>Takes nothing more. Once the sender has used up its window, its next write can't end, and the line breaks.</summary>
        private static async Task BreakAsync(HttpContext http, int taken)
        {
            const int framing = 5;
            var limits = http.RequestServices.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
            var window = limits.Http2.InitialStreamWindowSize;
            for (var arrived = 0L; framing + taken + arrived < window;)
            {
                var buffer = (await http.Request.BodyReader.ReadAsync(http.RequestAborted)).Buffer;
                arrived = buffer.Length;
                http.Request.BodyReader.AdvanceTo(buffer.Start, buffer.End);
            }

            http.Features.Get<IConnectionLifetimeFeature>()!.Abort();
        }
    }
}

using System.Net;
using System.Security.Authentication;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FedSeg.SiteAgent.Tests.Coordinator;

/// <summary>A coordinator that has one model and keeps what arrives of one update, over real TLS.</summary>
internal sealed class KeepingCoordinator : IAsyncDisposable
{
    private readonly WebApplication _app;

    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private KeepingCoordinator(WebApplication app) => _app = app;

    public string Address { get; private init; } = "";

    public string ModelPath { get; private init; } = "";

    /// <summary>What arrived of the update.</summary>
    public MemoryStream Kept { get; } = new();

    /// <summary>The first transfer has begun.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Where each transfer began.</summary>
    public List<long> Offsets { get; } = [];

    public static async Task<KeepingCoordinator> StartAsync(string root, FederationAuthority authority)
    {
        var keyPath = Path.Combine(root, "coordinator.key");
        File.WriteAllText(Path.Combine(root, "coordinator.pem"),
            authority.SignCoordinator(KeyFiles.CreateRequest(keyPath, "coordinator"), ["127.0.0.1"], TimeSpan.FromDays(3)));
        var certificate = KeyFiles.LoadCertificate(Path.Combine(root, "coordinator.pem"), keyPath);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        KeepingCoordinator? coordinator = null;
        builder.Services.AddSingleton(_ => coordinator!);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate, SslProtocols = SslProtocols.Tls13 });
        }));
        var app = builder.Build();
        app.MapGrpcService<Door>();
        await app.StartAsync();
        var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return coordinator =
            new KeepingCoordinator(app) { Address = $"https://127.0.0.1:{address.Port}", ModelPath = Path.Combine(root, "model") };
    }

    private void Begin(long offset)
    {
        Offsets.Add(offset);
        _begun.TrySetResult();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private sealed class Door(KeepingCoordinator coordinator) : Protocol.V1.Federation.FederationBase
    {
        public override async Task DownloadModel(DownloadRequest request, IServerStreamWriter<Chunk> responseStream,
            ServerCallContext context)
        {
            coordinator.Begin(request.Offset);
            await foreach (var chunk in FileChunks.ReadFileAsync(coordinator.ModelPath, request.Offset,
                context.CancellationToken)) await responseStream.WriteAsync(chunk);
        }

        public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context) =>
            Task.FromResult(new UploadOffset { Offset = coordinator.Kept.Length });

        public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                if (requestStream.Current.Header is { } header) coordinator.Begin(header.Offset);
                else coordinator.Kept.Write(requestStream.Current.Chunk.Data.Span);
            }

            return new UploadReceipt { Accepted = true };
        }
    }
}

using FedSeg.Coordinator.Tests.Grpc;

namespace FedSeg.Coordinator.Tests.Connections;

/// <summary>A coordinator that waits as short as it may where a hospital's waits ten seconds or more.</summary>
public sealed class ImpatientCoordinator : IAsyncLifetime
{
    internal CoordinatorServer Server { get; } =
        new(
            new[] { "HandshakeSeconds=1", "RequestSeconds=2", "IdleSeconds=1" }.Select(setting => "--Coordinator:Connections:" + setting),
            TimeProvider.System);

    public ValueTask InitializeAsync() => Server.InitializeAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

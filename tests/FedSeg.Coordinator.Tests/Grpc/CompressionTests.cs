using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;
using LedgersClient = FedSeg.Protocol.V1.Ledgers.LedgersClient;

namespace FedSeg.Coordinator.Tests.Grpc;

/// <summary>No message is unpacked, whether or not it would keep to the limit.</summary>
public sealed class CompressionTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private static readonly Metadata Packed = new() { { "grpc-internal-encoding-request", "gzip" } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_WithAPackedMessage_IsNotImplemented()
    {
        var site = new FederationClient(server.Dial("gzipped", MemberKind.Site));
        var key = new UploadKey { RunId = "run-1", Round = 1, Digest = Sha256Digest.Of("update"u8).ToString() };

        Assert.Equal(0, (await site.FindUploadAsync(key, cancellationToken: Token)).Offset);
        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await site.FindUploadAsync(key, Packed, cancellationToken: Token));

        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
    }

    /// <summary>Sixteen megabytes of zeros in sixteen kilobytes, where a message may have one megabyte.</summary>
    [Fact]
    public async Task Call_WithAMessageThatUnpacksBeyondTheLimit_IsNotUnpacked()
    {
        var site = new LedgersClient(server.Dial("bomber", MemberKind.Site));
        var bomb = new AddCosignatureRequest { PublicKey = ByteString.CopyFrom(new byte[16 << 20]) };

        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await site.AddCosignatureAsync(bomb, Packed, cancellationToken: Token));

        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
    }
}

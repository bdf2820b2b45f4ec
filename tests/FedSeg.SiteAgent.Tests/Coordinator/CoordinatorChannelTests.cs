using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using FedSeg.SiteAgent.Coordinator;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;

namespace FedSeg.SiteAgent.Tests.Coordinator;

/// <summary>Which coordinator an agent believes while one authority follows another, over real TLS.</summary>
public sealed class CoordinatorChannelTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fedseg-channel-").FullName;
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly FederationAuthority _old, _new;
    private readonly AgentOptions _options;

    public CoordinatorChannelTests()
    {
        _old = FederationAuthority.Create(PathOf("authority"), "test", _time);
        _new = _old.CreateSuccessor(PathOf("successor"), TimeSpan.FromDays(30));
        Directory.CreateDirectory(PathOf("north"));
        File.Copy(_old.CertificatePath, PathOf("north/authority.pem"));
        var request = KeyFiles.CreateRequest(PathOf("north/north.key"), "north");
        File.WriteAllText(PathOf("north/north.pem"), _old.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(100)));
        _options = new AgentOptions
        {
            Certificate = PathOf("north/north.pem"),
            PrivateKey = PathOf("north/north.key"),
            Authority = PathOf("north/authority.pem"),
        };
    }

    /// <summary>How gRPC calls a handshake that failed.</summary>
    private static readonly StatusCode?[] CutOff = [StatusCode.Unavailable, StatusCode.Internal];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Call_ToACoordinatorOfTheSuccessor_WorksOnceSomebodyHereAcceptedIt()
    {
        await using var server = await StartAsync(_new, "new");
        using var channel = Dial(server);

        // The coordinator has everything, the site's people have said nothing.
        Assert.Contains(await RefusalAsync(channel), CutOff);

        Accept();
        Assert.Null(await RefusalAsync(channel));
    }

    [Fact]
    public async Task Call_ToACoordinatorOfTheFormerAuthority_WorksUntilTheOverlapEnds()
    {
        await using var server = await StartAsync(_old, "old");
        Accept();
        using (var channel = Dial(server)) Assert.Null(await RefusalAsync(channel));

        _time.Advance(TimeSpan.FromDays(30));

        using (var channel = Dial(server)) Assert.Contains(await RefusalAsync(channel), CutOff);
    }

    [Fact]
    public async Task Call_ToACoordinatorOfAnotherName_IsRefusedWhateverSignedIt()
    {
        await using var server = await StartAsync(_old, "old", "elsewhere.example");
        using var channel = Dial(server);

        Assert.Contains(await RefusalAsync(channel), CutOff);
    }

    private void Accept()
    {
        var thumbprint = MutualTls.ThumbprintOfPem(File.ReadAllText(_new.CertificatePath));
        Assert.Null(new FederationTrust(_options.Authority, _time).Accept(Succession.Load(Succession.PathBeside(_new.CertificatePath)), thumbprint));
    }

    private CoordinatorChannel Dial(TlsServer server)
    {
        _options.Coordinator = server.Address;
        return new CoordinatorChannel(Options.Create(_options), _time);
    }

    private async Task<TlsServer> StartAsync(FederationAuthority authority, string folder, string host = "127.0.0.1") =>
        await TlsServer.StartAsync(Directory.CreateDirectory(PathOf(folder)).FullName, authority, new object(), app => app.MapGrpcService<Door>(), host);

    /// <summary>How a call is refused; <see langword="null"/> when it isn't.</summary>
    private static async Task<StatusCode?> RefusalAsync(CoordinatorChannel channel)
    {
        try
        {
            await new FederationClient(channel.Calls).FindUploadAsync(new UploadKey(), cancellationToken: Token);
            return null;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }

    private string PathOf(string name) => Path.Combine(_root, name);

    internal sealed class Door : Protocol.V1.Federation.FederationBase
    {
        public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context) => Task.FromResult(new UploadOffset());
    }
}

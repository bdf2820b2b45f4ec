using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Tests.Grpc;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using FedSeg.Testing;
using Grpc.Core;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.Connections;

/// <summary>Clients that send what no decent one would, over real sockets: each is cut or refused, and a good one goes on.</summary>
public sealed class HostileClientsTests(ImpatientCoordinator coordinator) : IClassFixture<ImpatientCoordinator>
{
    private const string Here = "127.0.0.1", ListRuns = "/fedseg.v1.Runs/List", GetAuthority = "/fedseg.v1.Enrolment/GetAuthority";
    private const byte Headers = 1, Continuation = 9;

    // The coordinator below waits a second or two for whatever it is; Kestrel looks at its clocks once a second.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20), Pause = TimeSpan.FromMilliseconds(100);

    private readonly CoordinatorServer _server = coordinator.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Garbage_InsteadOfAHandshake_IsCutAtOnce()
    {
        using var connection = await RawConnection.OpenAsync(_server.Address, Here, Token);
        await connection.SendAsync("GET / HTTP/1.1\r\nHost: coordinator\r\n\r\n"u8.ToArray(), Token);

        await GoesOnUntilAsync(("garbage", connection.CutAsync(Token)));
    }

    [Fact]
    public async Task SlowClients_OfEveryKind_AreCut()
    {
        using var silent = await RawConnection.OpenAsync(_server.Address, Here, Token);
        using var idle = await RawConnection.OpenHttp2Async(_server.Address, Member("idle"), Here, Token);
        using var slow = await RawConnection.OpenHttp2Async(_server.Address, Member("slow"), Here, Token);
        using var endless = await RawConnection.OpenHttp2Async(_server.Address, Member("endless"), Here, Token);
        var nothingMore = RawConnection.Frame(Continuation, 0, 1, []);
        await endless.SendAsync(RawConnection.Frame(Headers, 0, 1, RawConnection.HeaderBlock(ListRuns)), Token);
        // At the door where everybody may call.
        using var bodiless = await RawConnection.OpenHttp2Async(_server.EnrolmentAddress, null, "127.0.0.4", Token);
        await bodiless.SendAsync(RawConnection.Call(1, GetAuthority), Token);

        await GoesOnUntilAsync(
            ("silence in the handshake", silent.CutAsync(Token)),
            ("silence after the handshake", idle.CutAsync(Token)),
            ("headers byte by byte", slow.SendUntilCutAsync(RawConnection.Call(1, ListRuns).Select(one => new[] { one }), Pause, Token)),
            ("headers that go on and on", endless.SendUntilCutAsync(Enumerable.Repeat(nothingMore, 1000), Pause, Token)),
            ("a message that never comes", bodiless.CutAsync(Token)));
    }

    [Fact]
    public async Task Headers_BeyondTheirLimit_AreRefusedBeforeTheyAreAllThere()
    {
        using var connection = await RawConnection.OpenHttp2Async(_server.Address, Member("bloated"), Here, Token);
        await connection.SendAsync(RawConnection.Frame(Headers, 0, 1, RawConnection.HeaderBlock(ListRuns)), Token);
        // A literal header of 100 bytes, a hundred times a frame.
        byte[] header = [0, 3, (byte)'x', (byte)'-', (byte)'y', 95, .. Enumerable.Repeat((byte)'z', 95)];
        var more = RawConnection.Frame(Continuation, 0, 1, [.. Enumerable.Repeat(header, 100).SelectMany(bytes => bytes)]);

        var sent = connection.SendUntilCutAsync(Enumerable.Repeat(more, 10_000), TimeSpan.Zero, Token);

        await GoesOnUntilAsync(("headers without end", sent));
        // Of 100 MB the two sockets' own buffers take a few.
        Assert.True(await sent < 2000, $"{await sent} times 10 kB of headers were taken.");
    }

    [Theory]
    [InlineData(ListRuns)]
    [InlineData("/fedseg.v1.Runs/Watch")]
    [InlineData("/nowhere")]
    public async Task Calls_ResetAsSoonAsTheyAreMade_AreCut(string path)
    {
        using var connection = await RawConnection.OpenHttp2Async(_server.Address, Member("hasty"), Here, Token);

        var sent = connection.SendUntilCutAsync(RawConnection.CallsTakenBack(100_000, path), TimeSpan.Zero, Token);

        await GoesOnUntilAsync(("calls reset at once", sent));
        Assert.True(await sent < 50_000, $"{await sent} calls were made.");
    }

    [Fact]
    public async Task Upload_OfAHundredThousandTinyChunks_IsRefusedAtTheSecond()
    {
        using var certificate = _server.SignMember("crumbs", MemberKind.Site);
        var site = new FederationClient(_server.Dial(certificate));
        var scientist = new RunsClient(_server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        await scientist.SubmitAsync(new JobFile { Yaml = JobYaml.Of("crumbs") }, cancellationToken: Token);
        using var attendance = site.Attend(new AttendRequest { Labels = { "kidney", "tumour" } }, cancellationToken: Token);
        Assert.True(await attendance.ResponseStream.MoveNext(Token));
        using var key = certificate.GetECDsaPrivateKey()!;
        var update = SiteUpdate.Of(RoundPlan.FromBytes(attendance.ResponseStream.Current.Round.Plan.Span), SiteId.Parse("crumbs"), key);
        using var upload = site.Upload(cancellationToken: Token);
        await upload.RequestStream.WriteAsync(new UploadPart { Header = update.Header }, Token);

        var crumb = new UploadPart { Chunk = FileChunks.Of(update.Bytes.AsMemory(0, 1)) };
        var sent = 0;
        try
        {
            for (; sent < 100_000; sent++) await upload.RequestStream.WriteAsync(crumb, Token);
        }
        catch (RpcException)
        {
            // Answered long before the last one.
        }

        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => upload.ResponseAsync)).StatusCode);
        Assert.True(sent < 100_000);
    }

    private SslStreamCertificateContext Member(string name) => CoordinatorServer.Raw(Person(name));

    private X509Certificate2 Person(string name) => _server.SignMember(name, MemberKind.Person, PersonRole.DataScientist);

    /// <summary>A good client's calls are answered, on new connections and on its old one, until every bad one was cut.</summary>
    private async Task GoesOnUntilAsync(params (string Kind, Task Cut)[] bad)
    {
        var started = TimeProvider.System.GetTimestamp();
        var all = Task.WhenAll(bad.Select(client => client.Cut));
        using var certificate = Person("good");
        var old = new RunsClient(_server.Dial(certificate));
        do
        {
            await old.ListAsync(new ListRunsRequest(), cancellationToken: Token);
            using var channel = _server.Dial(certificate);
            await new RunsClient(channel).ListAsync(new ListRunsRequest(), cancellationToken: Token);
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Soon,
                $"Not cut: {string.Join(", ", bad.Where(client => !client.Cut.IsCompleted).Select(client => client.Kind))}");
            await Task.WhenAny(all, Task.Delay(Pause, TimeProvider.System, Token));
        }
        while (!all.IsCompleted);
        await all;
    }
}

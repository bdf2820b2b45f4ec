using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Connections;
using FedSeg.Coordinator.Sites;
using FedSeg.Coordinator.Tests.Grpc;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.Connections;

/// <summary>A running coordinator gets another authority and another certificate, over real TLS; the clock is the test's.</summary>
public sealed class SuccessionTests : IAsyncLifetime
{
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(2);

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly CoordinatorServer _server;

    public SuccessionTests() => _server = new CoordinatorServer([], _time);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string CertificatePath => _server.PathOf("coordinator.pem");

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Authority_FollowedByAnother_BothsMembersAreLetInUntilTheOverlapEnds()
    {
        var (old, oldSite) = (Person(_server.Authority, "ada"), _server.SignMember("north", MemberKind.Site));
        var oldTrust = TrustOf(_server.Authority, "old-member");
        var successor = _server.Authority.CreateSuccessor(_server.PathOf("successor"), Overlap);
        var oldChannel = _server.Dial(old, oldTrust);
        using var attendance = new FederationClient(_server.Dial(oldSite, oldTrust)).Attend(new AttendRequest(), cancellationToken: Token);
        var next = attendance.ResponseStream.MoveNext(Token);
        while (_server.Part<SiteDirectory>().Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);

        // Only the new authority's word, before anybody accepted it.
        var early = Person(successor, "eve");
        Assert.NotNull(await RefusalAsync(_server.Dial(early, oldTrust)));

        var succession = Succession.Load(Succession.PathBeside(successor.CertificatePath));
        Assert.Null(_server.Part<FederationTrust>().Accept(succession, ThumbprintOf(successor.CertificatePath)));
        var young = Person(successor, "grace");
        File.Copy(successor.RegisterPath, _server.PathOf("authority/register.json"), overwrite: true);

        Assert.Null(await RefusalAsync(oldChannel));
        Assert.Null(await RefusalAsync(_server.Dial(old, oldTrust)));
        Assert.Null(await RefusalAsync(_server.Dial(young, oldTrust)));

        // The coordinator's own certificate follows; who trusts the old authority alone does not take it, who accepted takes both.
        await ReplaceAsync(successor.RenewCoordinator(_server.Part<ServerCertificate>().Current, TimeSpan.FromDays(1)));
        Assert.NotNull(await RefusalAsync(_server.Dial(old, oldTrust)));
        Assert.Null(oldTrust.Accept(succession, ThumbprintOf(successor.CertificatePath)));
        Assert.Null(await RefusalAsync(_server.Dial(old, oldTrust)));
        Assert.Null(await RefusalAsync(_server.Dial(young, TrustOf(successor, "new-member"))));
        Assert.False(next.IsCompleted);

        // The authority's clock is the machine's, which runs while this test does.
        _time.Advance(Overlap + TimeSpan.FromHours(1));
        Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(oldChannel));
        Assert.NotNull(await RefusalAsync(_server.Dial(old, oldTrust)));
        Assert.Null(await RefusalAsync(_server.Dial(young, oldTrust)));
        await AdvanceUntilAsync(() => next.IsCompleted);
        await Assert.ThrowsAsync<RpcException>(() => next);
    }

    /// <summary>Nobody is let in by a file that can't be read, and what was under way is cut; as with a register.</summary>
    [Fact]
    public async Task Authority_FileThatIsNone_LetsNobodyIn()
    {
        var member = Person(_server.Authority, "ada");
        var trust = TrustOf(_server.Authority, "member");
        Assert.Null(await RefusalAsync(_server.Dial(member, trust)));

        await File.WriteAllTextAsync(_server.PathOf("authority/authority.pem"), "none", Token);

        Assert.NotNull(await RefusalAsync(_server.Dial(member, trust)));
    }

    [Fact]
    public async Task Certificate_ReplacedInItsFile_IsShownFromTheNextHandshakeOnAndNothingUnderWayEnds()
    {
        var before = await ShownAsync();
        var site = _server.Dial("north", MemberKind.Site);
        using var attendance = new FederationClient(site).Attend(new AttendRequest(), cancellationToken: Token);
        var next = attendance.ResponseStream.MoveNext(Token);
        while (_server.Part<SiteDirectory>().Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);

        var renewed = _server.Authority.RenewCoordinator(_server.Part<ServerCertificate>().Current, TimeSpan.FromDays(2));
        await ReplaceAsync(renewed);

        Assert.NotEqual(before, MutualTls.ThumbprintOfPem(renewed));
        Assert.Equal(MutualTls.ThumbprintOfPem(renewed), await ShownAsync());
        Assert.False(next.IsCompleted);
        Assert.Equal(1, _server.Part<SiteDirectory>().Count);
        Assert.Null(await RefusalAsync(_server.Dial("ada", MemberKind.Person, PersonRole.Auditor)));
    }

    /// <summary>So that a round which waits at a site for days can still be begun, by whoever the coordinator is then.</summary>
    [Fact]
    public async Task Plan_InHand_ComesSignedAnewWhenHalfOfItsLifeIsOver_WithTheCertificateOfThen()
    {
        using var attendance = await BeginRunAsync("west");

        var first = await NextPlanAsync(attendance.ResponseStream);
        AssertSigned(first);
        // A deadline of two hours, and half an hour of grace.
        Assert.Equal(TimeSpan.FromMinutes(150), first.Signature.Expires - first.Signature.Issued);

        await ReplaceAsync(_server.Authority.RenewCoordinator(_server.Part<ServerCertificate>().Current, TimeSpan.FromDays(2)));
        _time.Advance(TimeSpan.FromMinutes(75));
        var second = await NextPlanAsync(attendance.ResponseStream);

        AssertSigned(second);
        Assert.Equal(first.Plan.ToBytes(), second.Plan.ToBytes());
        Assert.False(first.Signature.Certificate.Span.SequenceEqual(second.Signature.Certificate.Span));
        Assert.True(second.Signature.Issued >= first.Signature.HalfLife);
    }

    [Fact]
    public async Task Plan_WhoseSignersCertificateIsAboutToEnd_CountsNoLonger()
    {
        _time.Advance(TimeSpan.FromHours(23));
        using var attendance = await BeginRunAsync("west");

        var handedOut = await NextPlanAsync(attendance.ResponseStream);

        Assert.Equal(_server.Part<ServerCertificate>().Current.NotAfter, handedOut.Signature.Expires);
    }

    public static TheoryData<string> Unusable => ["garbage", "otherFederation", "otherKey", "ended", "client"];

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task Certificate_ReplacedByOneThatCantBeUsed_StaysTheOldOneUntilThereIsABetterOne(string what)
    {
        var (before, certificate) = (await ShownAsync(), _server.Part<ServerCertificate>());
        var request = KeyFiles.RequestAgain(_server.PathOf("coordinator.key"), "coordinator");
        var then = FederationAuthority.Open(_server.PathOf("authority"), new FakeTimeProvider(_time.GetUtcNow() - TimeSpan.FromDays(3)));
        var (other, otherRequest) = (FederationAuthority.Create(_server.PathOf("other"), "test", TimeProvider.System), _server.NewKey().Request);
        var unusable = what switch
        {
            "otherFederation" => other.SignCoordinator(request, ["127.0.0.1"], TimeSpan.FromDays(1)),
            "otherKey" => _server.Authority.SignCoordinator(otherRequest, ["127.0.0.1"], TimeSpan.FromDays(1)),
            "ended" => then.SignCoordinator(request, ["127.0.0.1"], TimeSpan.FromDays(1)),
            "client" => _server.Authority.SignMember(request, MemberKind.Site, "north", PersonRole.None, TimeSpan.FromDays(1)),
            _ => "none",
        };
        await File.WriteAllTextAsync(CertificatePath, unusable, Token);
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }

        Assert.Equal(before, await ShownAsync());

        await ReplaceAsync(_server.Authority.RenewCoordinator(certificate.Current, TimeSpan.FromDays(1)));
        Assert.NotEqual(before, await ShownAsync());
    }

    [Fact]
    public async Task Certificate_AboutToEnd_IsInHealthAndMetricsBeforeItDoes()
    {
        var (certificate, check) = (_server.Part<ServerCertificate>(), new HealthCheckContext());
        Assert.Equal(HealthStatus.Healthy, (await certificate.CheckHealthAsync(check, Token)).Status);

        _time.Advance(TimeSpan.FromHours(17));
        Assert.Equal(HealthStatus.Degraded, (await certificate.CheckHealthAsync(check, Token)).Status);
        Assert.Equal((200, "Degraded"), await _server.AskOperationsAsync("/health/ready", Token));
        var metrics = (await _server.AskOperationsAsync("/metrics", Token)).Body.Split('\n');
        var left = Assert.Single(metrics, line => line.StartsWith("fedseg_certificate_left_seconds{", StringComparison.Ordinal));
        // Seven hours of its day, less or more by what lay between its making and the clock's beginning.
        Assert.Equal(7 * 3600, double.Parse(left.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), 600.0);

        _time.Advance(TimeSpan.FromHours(8));
        Assert.Equal(503, (await _server.AskOperationsAsync("/health/ready", Token)).Status);
    }

    /// <summary>As the operator copies it over the old one; the coordinator looks every few seconds.</summary>
    private async Task ReplaceAsync(string pem)
    {
        await File.WriteAllTextAsync(CertificatePath, pem, Token);
        await AdvanceUntilAsync(() => MutualTls.Thumbprint(_server.Part<ServerCertificate>().Current) == MutualTls.ThumbprintOfPem(pem));
    }

    private void AssertSigned(SignedPlan plan)
    {
        var shown = _server.Part<ServerCertificate>().Current;
        using var key = shown.GetECDsaPublicKey()!;
        Assert.Equal(shown.RawData, plan.Signature.Certificate.ToArray());
        Assert.True(plan.IsSignedBy(key));
        Assert.False((plan with { Site = SiteId.Parse("east") }).IsSignedBy(key));
    }

    private async Task<AsyncServerStreamingCall<Assignment>> BeginRunAsync(string site)
    {
        var attendance = new FederationClient(_server.Dial(site, MemberKind.Site)).Attend(new AttendRequest { Labels = { "kidney", "tumour" } }, cancellationToken: Token);
        var people = new RunsClient(_server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        Assert.Empty((await people.SubmitAsync(new JobFile { Yaml = JobYaml.Of(site) }, cancellationToken: Token)).Problems);
        return attendance;
    }

    private async Task<SignedPlan> NextPlanAsync(IAsyncStreamReader<Assignment> stream)
    {
        while (true)
        {
            var next = stream.MoveNext(Token);
            await AdvanceUntilAsync(() => next.IsCompleted);
            Assert.True(await next);
            if (stream.Current.Round is not { Signature: var signature } round) continue;
            return new SignedPlan
            {
                Plan = RoundPlan.FromBytes(round.Plan.Span),
                Site = SiteId.Parse("west"),
                Signature = new Federation.Rounds.PlanSignature
                {
                    Issued = DateTimeOffset.FromUnixTimeMilliseconds(signature.IssuedMs),
                    Expires = DateTimeOffset.FromUnixTimeMilliseconds(signature.ExpiresMs),
                    Certificate = signature.Certificate.Memory,
                    Value = signature.Value.Memory,
                },
            };
        }
    }

    private async Task AdvanceUntilAsync(Func<bool> until)
    {
        for (var i = 0; i < 2000 && !until(); i++)
        {
            // Far less than the overlap in all.
            if (i % 20 == 0) _time.Advance(TimeSpan.FromSeconds(5));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }

        Assert.True(until());
    }

    /// <summary>The thumbprint of what a new handshake is shown.</summary>
    private async Task<string> ShownAsync()
    {
        var shown = "";
        using var socket = new TcpClient();
        await socket.ConnectAsync(_server.Address.Host, _server.Address.Port, Token);
        await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) =>
        {
            shown = MutualTls.Thumbprint((X509Certificate2)certificate!);
            return shown.Length > 0;
        });
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", EnabledSslProtocols = MutualTls.Protocols }, Token);
        return shown;
    }

    private FederationTrust TrustOf(FederationAuthority authority, string folder)
    {
        var path = Path.Combine(Directory.CreateDirectory(_server.PathOf(folder)).FullName, "authority.pem");
        File.Copy(authority.CertificatePath, path);
        return new FederationTrust(path, _time);
    }

    private X509Certificate2 Person(FederationAuthority authority, string name) => _server.SignMember(authority, name, MemberKind.Person, PersonRole.Auditor);

    private static string ThumbprintOf(string path) => MutualTls.ThumbprintOfPem(File.ReadAllText(path));

    /// <summary>How a call is refused; <see langword="null"/> when it isn't.</summary>
    private static async Task<StatusCode?> RefusalAsync(GrpcChannel channel)
    {
        try
        {
            await new RunsClient(channel).ListAsync(new ListRunsRequest(), cancellationToken: Token);
            return null;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }
}

using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using FedSeg.Egress;
using FedSeg.Egress.Review;
using FedSeg.Egress.Review.People;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Ledger.Storage;
using FedSeg.Protocol.V1;
using FedSeg.SiteAgent.Coordinator;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FedSeg.SiteAgent.Tests.Coordinator;

/// <summary>A month's certificate and a coordinator over real TLS that renews it, or something else; the clock is the test's.</summary>
public sealed class CertificateRenewerTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("fedseg-renewal-").FullName;
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly Script _script = new();
    private FederationAuthority _authority = null!;
    private TlsServer _server = null!;
    private CoordinatorChannel _channel = null!;
    private readonly ECDsa _ledgerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private LedgerWriter _ledger = null!;
    private EgressGate _gate = null!;
    private CertificateRenewer _renewer = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string CertificatePath => Path.Combine(_root, "north.pem");

    public async ValueTask InitializeAsync()
    {
        _authority = FederationAuthority.Create(Path.Combine(_root, "authority"), "test", _time);
        File.WriteAllText(CertificatePath, Sign(KeyFiles.CreateRequest(Path.Combine(_root, "north.key"), "north"), "north"));
        _server = await TlsServer.StartAsync(_root, _authority, _script, app => app.MapGrpcService<Door>());
        var options = Options.Create(new AgentOptions
        {
            Coordinator = _server.Address,
            Certificate = CertificatePath,
            PrivateKey = Path.Combine(_root, "north.key"),
            Authority = _authority.CertificatePath,
        });
        _channel = new CoordinatorChannel(options, _time);
        _ledger = LedgerWriter.Open(Path.Combine(_root, "ledger"), "fedseg/site/north", _ledgerKey, TimeProvider.System);
        var egress = new EgressOptions
        {
            Site = SiteId.Parse("north"),
            Recipient = _server.Address,
            PolicyPath = Path.Combine(_root, "policy.yaml"),
            OutboxDirectory = Path.Combine(_root, "outbox"),
            DeskDirectory = Path.Combine(_root, "desk"),
            AuthorityPath = _authority.CertificatePath,
        };
        Directory.CreateDirectory(egress.DeskDirectory);
        DeskAccount[] people = [Operator("olga"), Operator("oleg")];
        File.WriteAllBytes(Path.Combine(egress.DeskDirectory, "accounts.json"), JsonSerializer.SerializeToUtf8Bytes(people, FederationJson.Options));
        _gate = new EgressGate(egress, _ledger, TimeProvider.System, RandomNumberGenerator.Create(), Failpoints.None);
        _renewer = new CertificateRenewer(_channel, _gate.Desk.Switch, _time, NullLogger<CertificateRenewer>.Instance);
        await _renewer.StartAsync(Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _renewer.StopAsync(CancellationToken.None);
        _renewer.Dispose();
        _channel.Dispose();
        _gate.Dispose();
        _ledger.Dispose();
        _ledgerKey.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Execute_SiteHalted_AsksNothingUntilTwoPeopleLiftedIt()
    {
        _script.Answer = () => new RenewalReply { Refusal = "not yet" };
        await OrderAsync(new DeskOrder.Halt { Id = Guid.NewGuid().ToString("N"), By = "olga", At = default });
        await AdvanceAsync(TimeSpan.FromDays(29));
        Assert.Empty(_script.Callers);

        foreach (var person in new[] { "olga", "oleg" }) await OrderAsync(new DeskOrder.Lift { Id = Guid.NewGuid().ToString("N"), By = person, At = default });

        await AdvanceUntilAsync(() => !_script.Callers.IsEmpty);
    }

    private static DeskAccount Operator(string name) => new() { Name = name, Role = DeskRole.SiteOperator, PasswordHash = "", ProviderId = "s-" + name };

    private async Task OrderAsync(DeskOrder order) => Assert.IsType<OrderOutcome.Obeyed>(await _gate.Desk.ObeyAsync(order));

    [Fact]
    public async Task Execute_TwoThirdsOfItsLifeAreOver_TheNewCertificateIsInTheFileAndOnNewConnections()
    {
        var old = MutualTls.Thumbprint(_channel.Certificate);
        // As it would be signed when it is due: the test's clock runs on while the agent asks.
        var due = new FakeTimeProvider(_time.GetUtcNow() + TimeSpan.FromDays(20));
        var signed = FederationAuthority.Open(Path.Combine(_root, "authority"), due).Renew(_channel.Certificate);
        var renewal = Assert.IsType<CertificateRenewal.Renewed>(signed);
        var reply = new RenewalReply { Certificate = renewal.Certificate, Issuer = renewal.Issuer };
        _script.Answer = () => reply;

        await AdvanceAsync(TimeSpan.FromDays(20) - TimeSpan.FromHours(1));
        Assert.Empty(_script.Callers);
        await AdvanceUntilAsync(() => MutualTls.Thumbprint(_channel.Certificate) != old);

        using var onDisk = KeyFiles.LoadAuthority(CertificatePath);
        var renewed = MutualTls.Thumbprint(_channel.Certificate);
        Assert.Equal(renewed, MutualTls.Thumbprint(onDisk));
        Assert.True(_channel.Certificate.HasPrivateKey);
        // The door cuts the connection behind each call, so the next one is on a new one.
        await new Protocol.V1.Federation.FederationClient(_channel.Calls).FindUploadAsync(new UploadKey(), cancellationToken: Token);
        Assert.Equal([old, renewed], _script.Callers);
    }

    [Fact]
    public async Task Execute_Refused_AsksAgainLaterAndKeepsTheOldOne()
    {
        var before = File.ReadAllText(CertificatePath);
        _script.Answer = () => new RenewalReply { Refusal = "AuthorityEnds" };

        await AdvanceUntilAsync(() => _script.Callers.Count >= 3);

        Assert.Equal(before, File.ReadAllText(CertificatePath));
    }

    /// <summary>As the coordinator does it: signed by an issuing authority that the site never saw before.</summary>
    [Fact]
    public async Task Execute_SignedByAnIssuingAuthority_IsTakenAlone()
    {
        var reply = Reply(Issuing("issuing"), Request(), "north");
        _script.Answer = () => reply;

        await AdvanceUntilAsync(() => MutualTls.Thumbprint(_channel.Certificate) == MutualTls.ThumbprintOfPem(reply.Certificate));

        Assert.Single(File.ReadAllText(CertificatePath).Split("-----BEGIN CERTIFICATE-----"), part => part.Length > 0);
    }

    public static TheoryData<string> Untrue => ["otherKey", "otherName", "ended", "notYet", "noLonger", "otherAuthority", "otherIssuing", "noIssuer", "garbage", "server"];

    [Theory]
    [MemberData(nameof(Untrue))]
    public async Task Execute_CertificateThatTheSiteCantBelieve_IsNotTaken(string what)
    {
        var before = File.ReadAllText(CertificatePath);
        var issuing = Issuing("issuing");
        var other = FederationAuthority.Create(Path.Combine(_root, "otherFederation"), "test", Clock(TimeSpan.Zero));
        var otherIssuing = other.CreateIssuing(Path.Combine(_root, "otherIssuing"), TimeSpan.FromDays(300));
        FederationAuthority Then(TimeSpan when) => FederationAuthority.Open(Path.Combine(_root, "issuing"), Clock(when));
        var untrue = what switch
        {
            "otherKey" => Reply(issuing, KeyFiles.CreateRequest(Path.Combine(_root, "other.key"), "north"), "north"),
            "otherName" => Reply(issuing, Request(), "south"),
            // When the agent asks, twenty days are over.
            "ended" => Reply(issuing, Request(), "north", TimeSpan.FromDays(10)),
            "notYet" => Reply(Then(TimeSpan.FromDays(150)), Request(), "north"),
            "noLonger" => Reply(issuing, Request(), "north", TimeSpan.FromDays(29)),
            "otherAuthority" => Reply(other, Request(), "north"),
            "otherIssuing" => Reply(otherIssuing, Request(), "north"),
            "noIssuer" => new RenewalReply { Certificate = Reply(issuing, Request(), "north").Certificate },
            "garbage" => new RenewalReply { Certificate = "none", Issuer = "none" },
            _ => new RenewalReply { Certificate = _authority.SignCoordinator(Request(), ["127.0.0.1"], TimeSpan.FromDays(90)), Issuer = File.ReadAllText(_authority.CertificatePath) },
        };
        _script.Answer = () => untrue;

        await AdvanceUntilAsync(() => _script.Callers.Count >= 2);

        Assert.Equal(before, File.ReadAllText(CertificatePath));
        Assert.Equal(MutualTls.ThumbprintOfPem(before), MutualTls.Thumbprint(_channel.Certificate));
    }

    private FakeTimeProvider Clock(TimeSpan after) => new(_time.GetUtcNow() + after);

    private FederationAuthority Issuing(string folder) => _authority.CreateIssuing(Path.Combine(_root, folder), TimeSpan.FromDays(300));

    private string Request() => KeyFiles.RequestAgain(Path.Combine(_root, "north.key"), "north");

    private static RenewalReply Reply(FederationAuthority signer, string request, string name, TimeSpan? life = null) => new()
    {
        Certificate = signer.SignMember(request, MemberKind.Site, name, PersonRole.None, life ?? TimeSpan.FromDays(90)),
        Issuer = File.ReadAllText(signer.CertificatePath),
    };

    private string Sign(string request, string name) =>
        _authority.SignMember(request, MemberKind.Site, name, PersonRole.None, TimeSpan.FromDays(30));

    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var end = _time.GetUtcNow() + by; _time.GetUtcNow() < end; _time.Advance(TimeSpan.FromHours(1))) await Task.Yield();
    }

    private async Task AdvanceUntilAsync(Func<bool> until)
    {
        while (!until())
        {
            _time.Advance(TimeSpan.FromHours(6));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }
    }

    /// <summary>What the door answers, and the thumbprints of who called.</summary>
    internal sealed class Script
    {
        public Func<RenewalReply> Answer { get; set; } = () => new RenewalReply();

        public ConcurrentQueue<string> Callers { get; } = [];
    }

    internal sealed class Door(Script script) : Protocol.V1.Federation.FederationBase
    {
        public override Task<RenewalReply> RenewCertificate(RenewalRequest request, ServerCallContext context)
        {
            Note(context);
            return Task.FromResult(script.Answer());
        }

        public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context)
        {
            Note(context);
            return Task.FromResult(new UploadOffset());
        }

        private void Note(ServerCallContext context)
        {
            var http = context.GetHttpContext();
            script.Callers.Enqueue(MutualTls.Thumbprint(http.Connection.ClientCertificate!));
            http.Response.OnCompleted(() =>
            {
                http.Features.Get<IConnectionLifetimeNotificationFeature>()!.RequestClose();
                return Task.CompletedTask;
            });
        }
    }
}

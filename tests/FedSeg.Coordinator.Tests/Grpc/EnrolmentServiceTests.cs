using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using Grpc.Core;
using EnrolmentClient = FedSeg.Protocol.V1.Enrolment.EnrolmentClient;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.Grpc;

/// <summary>From a token to a certificate that opens the sites' door, over real TLS.</summary>
public sealed class EnrolmentServiceTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enrol_ConfirmedKey_GetsACertificateThatOpensTheSitesDoor()
    {
        var (keyPath, request) = server.NewKey();
        var asked = new EnrolRequest { Site = "newcomer", Token = server.Enrolments.MakeToken("newcomer", null), CertificateRequest = request };
        var waiting = await EnrolAsync(asked);
        Assert.Equal(KeyFiles.Thumbprint(KeyFiles.ReadRequest(request).PublicKey), waiting.WaitingKey);

        server.Enrolments.Confirm(server.Issuing, "newcomer", waiting.WaitingKey, TimeSpan.FromHours(1));
        var enrolled = await EnrolAsync(asked);

        var certificate = server.WithKey(enrolled.Certificate, keyPath);
        var refusal = await Assert.ThrowsAsync<RpcException>(async () =>
            await new FederationClient(server.Dial(certificate)).FindUploadAsync(new UploadKey(), cancellationToken: Token));
        // Past the door: it complains of the question.
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Equal(["EnrolmentRequested", "SiteEnrolled"], Noted("newcomer"));
    }

    [Fact]
    public async Task Enrol_TokenUsedBefore_IsRefusedAndInTheLedger()
    {
        var asked = new EnrolRequest { Site = "reused", Token = server.Enrolments.MakeToken("reused", null), CertificateRequest = server.NewKey().Request };
        server.Enrolments.Confirm(server.Issuing, "reused", (await EnrolAsync(asked)).WaitingKey, TimeSpan.FromHours(1));
        await EnrolAsync(asked);

        var thief = await EnrolAsync(new EnrolRequest(asked) { CertificateRequest = server.NewKey().Request });

        Assert.Equal("Used", thief.Refusal);
        Assert.Equal(["EnrolmentRequested", "SiteEnrolled", "EnrolmentRefused"], Noted("reused"));
    }

    [Fact]
    public async Task Enrol_TokenOfAnotherSite_IsRefusedAndInTheLedgerOfItsOwner()
    {
        var token = server.Enrolments.MakeToken("owner", null);

        var thief = await EnrolAsync(new EnrolRequest { Site = "thief", Token = token, CertificateRequest = server.NewKey().Request });

        Assert.Equal("OtherSite", thief.Refusal);
        Assert.Equal(["EnrolmentRefused"], Noted("owner"));
    }

    [Fact]
    public async Task Enrol_GuessedToken_IsRefusedAndFillsNoLedger()
    {
        var before = server.Part<CoordinatorLedger>().Read().Count;

        var guess = await EnrolAsync(new EnrolRequest { Site = "north", Token = "guess", CertificateRequest = server.NewKey().Request });

        Assert.Equal("UnknownToken", guess.Refusal);
        Assert.DoesNotContain(server.Part<CoordinatorLedger>().Read().Entries().Skip((int)before), entry => entry.Facts.GetValueOrDefault("reason") == "UnknownToken");
    }

    [Fact]
    public async Task Enrol_MessageLongerThanAnyRequest_IsNotRead()
    {
        var asked = new EnrolRequest { Site = "north", Token = "guess", CertificateRequest = new string('x', 16 << 10) };

        var refusal = await Assert.ThrowsAsync<RpcException>(() => EnrolAsync(asked));

        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
    }

    [Fact]
    public async Task RenewCertificate_PastHalfOfItsLife_OpensTheDoorAndIsInTheLedger()
    {
        var certificate = server.SignSite("renewing", age: TimeSpan.FromDays(20), life: TimeSpan.FromDays(30));

        var reply = await new FederationClient(server.Dial(certificate)).RenewCertificateAsync(new RenewalRequest(), cancellationToken: Token);

        using var key = certificate.GetECDsaPrivateKey()!;
        using var renewed = X509Certificate2.CreateFromPem(reply.Certificate, key.ExportPkcs8PrivateKeyPem());
        var offset = await new FederationClient(server.Dial(renewed)).FindUploadAsync(new UploadKey { Digest = new string('0', 64) }, cancellationToken: Token);
        Assert.Equal(0, offset.Offset);
        Assert.Equal(["CertificateRenewed"], Noted("renewing"));
    }

    [Fact]
    public async Task RenewCertificate_RightAfterItWasSigned_IsTooEarly()
    {
        var certificate = server.SignSite("young", age: TimeSpan.Zero, life: TimeSpan.FromDays(30));

        var reply = await new FederationClient(server.Dial(certificate)).RenewCertificateAsync(new RenewalRequest(), cancellationToken: Token);

        Assert.Equal("TooEarly", reply.Refusal);
        Assert.Empty(Noted("young"));
    }

    /// <summary>The port without client certificates leads to no member's door.</summary>
    [Fact]
    public async Task EnrolmentPort_MembersCalls_AreRefused()
    {
        var channel = server.DialToEnrol();

        var runs = await Assert.ThrowsAsync<RpcException>(async () => await new RunsClient(channel).ListAsync(new ListRunsRequest(), cancellationToken: Token));
        var upload = await Assert.ThrowsAsync<RpcException>(async () => await new FederationClient(channel).FindUploadAsync(new UploadKey(), cancellationToken: Token));

        Assert.Equal((StatusCode.Unauthenticated, StatusCode.Unauthenticated), (runs.StatusCode, upload.StatusCode));
    }

    private async Task<EnrolReply> EnrolAsync(EnrolRequest request) => await new EnrolmentClient(server.DialToEnrol()).EnrolAsync(request, cancellationToken: Token);

    private IEnumerable<string> Noted(string site) => server.Part<CoordinatorLedger>().Read().Entries()
        .Where(entry => entry.Facts.GetValueOrDefault("site") == site)
        .Select(entry => string.Concat(entry.Action[..1].ToUpperInvariant(), entry.Action.AsSpan(1)));
}

using System.Security.Cryptography;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Tests.Grpc;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.IdentityModel.Tokens;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.People;

/// <summary>People with a token of their provider, over real TLS. What each role may, the matrix says.</summary>
public sealed class TokenSignInTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ResearchProvider Provider => server.Provider;

    [Fact]
    public async Task Call_WithTheProvidersAccessToken_IsLetIn() =>
        Assert.Null(await RefusalAsync(server.DialWithToken(await Provider.SignInAsync("ada", "elsewhere", "group-DataScientist"))));

    [Fact]
    public async Task Call_InNoGroupThatHasARole_IsRefused() =>
        Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(server.DialWithToken(await Provider.SignInAsync("kim", "elsewhere", "group-"))));

    [Fact]
    public async Task Call_WithoutAToken_IsRefused() => Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(server.DialWithToken(null)));

    [Fact]
    public async Task Sign_Untouched_IsLetIn() => Assert.Null(await RefusalAsync(server.DialWithToken(Provider.Sign())));

    public static TheoryData<string> Untrue =>
    [
        "otherIssuer", "otherAudience", "noAudience", "ended", "notYet", "noEnd", "otherKey", "publicKeyAsSecret", "unsigned", "logoutToken", "noPerson", "noName", "nameOfTwoLines", "garbage",
    ];

    [Theory]
    [MemberData(nameof(Untrue))]
    public async Task Call_WithATokenThatIsNotThisProvidersForThisCoordinatorNow_IsRefused(string what)
    {
        using var rsa = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var token = what switch
        {
            "otherIssuer" => Provider.Sign(it => it.Issuer = "https://login.elsewhere.example/"),
            "otherAudience" => Provider.Sign(it => it.Audience = "fedseg-desk"),
            "noAudience" => Provider.Sign(it => it.Audience = null),
            "ended" => Provider.Sign(it => (it.NotBefore, it.IssuedAt, it.Expires) = (now.AddHours(-1), now.AddHours(-1), now.AddSeconds(-45))),
            "notYet" => Provider.Sign(it => it.NotBefore = now.AddSeconds(90)),
            "noEnd" => Provider.Sign(it => it.Expires = null),
            "otherKey" => Provider.Sign(it => it.SigningCredentials = new SigningCredentials(new RsaSecurityKey(rsa) { KeyId = "research-1" }, SecurityAlgorithms.RsaSha256)),
            "publicKeyAsSecret" => Provider.Sign(it => it.SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(Provider.PublicKey) { KeyId = "research-1" }, SecurityAlgorithms.HmacSha256)),
            "unsigned" => Provider.Sign(it => it.SigningCredentials = null),
            "logoutToken" => Provider.Sign(type: "logout+jwt"),
            "noPerson" => Provider.Sign(it => it.Claims.Remove("sub")),
            "noName" => Provider.Sign(it => it.Claims["preferred_username"] = ""),
            "nameOfTwoLines" => Provider.Sign(it => it.Claims["preferred_username"] = "ada\nrun cancelled"),
            _ => "a.b.c",
        };

        Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(server.DialWithToken(token)));
    }

    /// <summary>The members' door and the enrolment door look at no token, whoever shows it.</summary>
    [Fact]
    public async Task Call_WithATokenAtAnotherDoor_IsJudgedByTheCertificateAlone()
    {
        var token = Provider.Sign();
        var nobody = server.Dial("norman", MemberKind.Person);
        var site = server.Dial("north", MemberKind.Site);

        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(nobody, token));
        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(site, token));
        Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(server.DialToEnrol(), token));
        Assert.NotNull(await RefusalAsync(server.DialWithoutCertificate(), token));
    }

    /// <summary>A site's name, or its certificate's, in a token makes nobody a site.</summary>
    [Fact]
    public async Task Attend_WithATokenOfASitesName_IsRefused()
    {
        server.SignMember("north", MemberKind.Site);
        var token = Provider.Sign(it =>
        {
            it.Claims["sub"] = "north";
            it.Claims["preferred_username"] = "north";
            it.Claims["fedseg:kind"] = "Site";
            it.Claims["groups"] = new[] { "group-DataScientist", "Site" };
        });
        using var attendance = new Protocol.V1.Federation.FederationClient(server.DialWithToken(token)).Attend(new AttendRequest(), cancellationToken: Token);

        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => attendance.ResponseStream.MoveNext(Token))).StatusCode);
    }

    [Fact]
    public async Task Submit_WithCertificateAndWithToken_IsTheSamePersonInTheJournal()
    {
        server.SignMember("one-human-site", MemberKind.Site);
        var certificate = server.SignPerson("grace", PersonRole.DataScientist, "id-of-g.hopper");
        var token = await Provider.SignInAsync("g.hopper", "group-DataScientist");
        var stranger = await Provider.SignInAsync("mallory", "group-DataScientist");

        Assert.Equal("grace", await SubmitterAsync(server.Dial(certificate), seed: 11));
        Assert.Equal("grace", await SubmitterAsync(server.DialWithToken(token), seed: 12));
        Assert.Equal("oidc:mallory", await SubmitterAsync(server.DialWithToken(stranger), seed: 13));
    }

    [Fact]
    public async Task Watch_PersonRevokedMeanwhile_IsCutAndTheTokenOpensNothing()
    {
        server.SignMember("revoking-site", MemberKind.Site);
        server.SignPerson("eve", PersonRole.DataScientist, "id-of-eve");
        var channel = server.DialWithToken(await Provider.SignInAsync("eve", "group-DataScientist"));
        var run = (await SubmitAsync(channel, "revoking-site", seed: 21)).RunId;
        using var watch = new RunsClient(channel).Watch(new RunKey { RunId = run }, cancellationToken: Token);
        Assert.True(await watch.ResponseStream.MoveNext(Token));

        server.Revoke(MemberKind.Person, "eve");

        Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(channel));
        await AssertCutAsync(watch);
    }

    [Fact]
    public async Task Watch_TokenThatEnds_IsCut()
    {
        server.SignMember("ending-site", MemberKind.Site);
        // Its end counts for what is under way; a new call would have the clock's tolerance.
        var channel = server.DialWithToken(Provider.Sign(it => it.Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(8)));
        var run = (await SubmitAsync(channel, "ending-site", seed: 31)).RunId;
        using var watch = new RunsClient(channel).Watch(new RunKey { RunId = run }, cancellationToken: Token);
        Assert.True(await watch.ResponseStream.MoveNext(Token));

        await AssertCutAsync(watch);
    }

    private static async Task AssertCutAsync(AsyncServerStreamingCall<Run> watch) => await Assert.ThrowsAsync<RpcException>(async () =>
    {
        while (await watch.ResponseStream.MoveNext(Token).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Token)) { }
    });

    private async Task<string> SubmitterAsync(GrpcChannel channel, int seed)
    {
        var verdict = await SubmitAsync(channel, "one-human-site", seed);
        return server.Part<RunBook>().Find(RunId.Parse(verdict.RunId))!.SubmittedBy;
    }

    private static async Task<JobVerdict> SubmitAsync(GrpcChannel channel, string site, int seed)
    {
        var verdict = await new RunsClient(channel).SubmitAsync(new JobFile { Yaml = JobYaml.Of(site) + $"\nseed: {seed}\n" }, cancellationToken: Token);
        Assert.Empty(verdict.Problems);
        return verdict;
    }

    /// <summary>How a call is refused; <see langword="null"/> when it isn't.</summary>
    private static async Task<StatusCode?> RefusalAsync(GrpcChannel channel, string? token = null)
    {
        try
        {
            await new RunsClient(channel).ListAsync(new ListRunsRequest(), token is null ? null : new Metadata { { "authorization", "Bearer " + token } }, cancellationToken: Token);
            return null;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }
}

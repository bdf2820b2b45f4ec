using System.Diagnostics.Metrics;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;
using BlindClient = FedSeg.Protocol.V1.Blind.BlindClient;
using FederationClient = FedSeg.Protocol.V1.Federation.FederationClient;
using RunsClient = FedSeg.Protocol.V1.Runs.RunsClient;

namespace FedSeg.Coordinator.Tests.Grpc;

/// <summary>Who gets in, and to what, over real TLS.</summary>
public sealed class AccessTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    // In TLS 1.3 a client may learn that it was refused only while it already sends: the call fails before any code of the coordinator ran either way.
    private static readonly StatusCode[] CutOff = [StatusCode.Unavailable, StatusCode.Internal];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnyCall_WithoutCertificate_IsCutOffInTheHandshake() =>
        Assert.Contains(await RefusalAsync(ListAsync(server.DialWithoutCertificate())), CutOff);

    [Fact]
    public async Task AnyCall_CertificateOfAnotherAuthority_IsCutOffInTheHandshake() =>
        Assert.Contains(await RefusalAsync(ListAsync(server.DialFromAnotherFederation("ada"))), CutOff);

    [Fact]
    public async Task AnyCall_ExpiredCertificate_IsCutOffInTheHandshake() =>
        Assert.Contains(await RefusalAsync(ListAsync(server.Dial(server.SignSite("late", age: TimeSpan.FromDays(2), life: TimeSpan.FromDays(1))))), CutOff);

    [Fact]
    public async Task AnyCall_OfferingTls12Only_IsCutOffInTheHandshake()
    {
        var member = server.SignMember("old", MemberKind.Person, PersonRole.DataScientist);

        Assert.Contains(await RefusalAsync(ListAsync(server.DialWithTls12(member))), CutOff);
        await ListAsync(server.Dial(member));
    }

    [Fact]
    public async Task Attend_RevokedMeanwhile_IsCutWithinAMinute()
    {
        using var attendance = new FederationClient(server.Dial("stolen", MemberKind.Site)).Attend(new AttendRequest(), cancellationToken: Token);
        var next = attendance.ResponseStream.MoveNext(Token);
        while (!server.Part<SiteDirectory>().AtHand.Contains(SiteId.Parse("stolen"))) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);

        server.Revoke(MemberKind.Site, "stolen");

        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            // What it may still be told is that there is nothing to do.
            while (await next.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Token)) next = attendance.ResponseStream.MoveNext(Token);
        });
    }

    [Fact]
    public async Task Attend_AnotherKeyWhileTheSiteAttends_IsRefusedAndAlarms()
    {
        using var attendance = new FederationClient(server.Dial("cloned", MemberKind.Site)).Attend(new AttendRequest(), cancellationToken: Token);
        var first = attendance.ResponseStream.MoveNext(Token);
        while (!server.Part<SiteDirectory>().AtHand.Contains(SiteId.Parse("cloned"))) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);

        var alarmed = new TaskCompletionSource();
        using var alarms = ListenForAlarms("secondSession", alarmed);
        using var second = new FederationClient(server.Dial("cloned", MemberKind.Site)).Attend(new AttendRequest(), cancellationToken: Token);

        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(second.ResponseStream.MoveNext(Token)));
        await alarmed.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Token);
        Assert.Contains(server.Part<CoordinatorLedger>().Read().Entries(), entry => entry.Action == "secondSession" && entry.Facts["site"] == "cloned");
        Assert.False(first.IsFaulted);
    }

    /// <summary>A copied key: both copies dial again whenever the other has taken over.</summary>
    [Fact]
    public async Task Attend_TwoAgentsWithOneKey_CutEachOtherAndAlarm()
    {
        var certificate = server.SignMember("twins", MemberKind.Site);
        var alarmed = new TaskCompletionSource();
        using var alarms = ListenForAlarms("sharedKey", alarmed);
        FederationClient[] agents = [new(server.Dial(certificate)), new(server.Dial(certificate))];

        AsyncServerStreamingCall<Assignment>? first = null;
        Attendance? attending = null;
        for (var i = 0; i <= 5; i++)
        {
            var second = agents[i % 2].Attend(new AttendRequest(), cancellationToken: Token);
            attending = await EnteredAsync("twins", after: attending);
            if (first is not null) Assert.Equal(StatusCode.Aborted, await RefusalAsync(first.ResponseStream.MoveNext(Token)));
            first?.Dispose();
            first = second;
        }

        using (first) await alarmed.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Token);
        Assert.Contains(server.Part<CoordinatorLedger>().Read().Entries(), entry => entry.Action == "sharedKey" && entry.Facts["site"] == "twins");
    }

    [Theory]
    [InlineData("behind", -3_600_000L)]
    [InlineData("ahead", 3_600_000L)]
    [InlineData("decade", -315_000_000_000L)]
    [InlineData("absurd", long.MaxValue / 2)]
    public async Task Attend_ClockFarAway_IsAlarmed(string site, long skewMs)
    {
        var clock = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + skewMs;
        var alarmed = new TaskCompletionSource();
        using var alarms = ListenForAlarms("clock", alarmed);

        using var attendance = new FederationClient(server.Dial(site, MemberKind.Site)).Attend(new AttendRequest { ClockMs = clock }, cancellationToken: Token);
        _ = attendance.ResponseStream.MoveNext(Token);

        await alarmed.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Token);
        Assert.True((await EnteredAsync(site, after: null)).HasWrongClock);
    }

    private async Task<Attendance> EnteredAsync(string site, Attendance? after)
    {
        while (true)
        {
            if (server.Part<SiteDirectory>().Find(SiteId.Parse(site)) is { } now && !ReferenceEquals(now, after)) return now;
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }
    }

    private static MeterListener ListenForAlarms(string kind, TaskCompletionSource alarmed)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "fedseg.sites.alarms") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (tags.Contains(new KeyValuePair<string, object?>("kind", kind))) alarmed.TrySetResult();
        });
        listener.Start();
        return listener;
    }

    [Fact]
    public async Task AnyCall_AfterRevocation_IsRefusedOnTheSameConnection()
    {
        var channel = server.Dial("mallory", MemberKind.Person, PersonRole.DataScientist);
        await ListAsync(channel);

        server.Revoke(MemberKind.Person, "mallory");

        Assert.Equal(StatusCode.Unauthenticated, await RefusalAsync(ListAsync(channel)));
    }

    [Fact]
    public async Task Calls_BeyondAMembersShare_AreToldToComeBackAndOthersGoOn()
    {
        using var away = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var greedy = new FederationClient(server.Dial("greedy", MemberKind.Site));
        var share = server.Part<IOptions<CoordinatorOptions>>().Value.MaximumCallsPerMember;
        var open = Enumerable.Range(0, share).Select(_ => Attend()).ToArray();
        Task<bool> Attend() => greedy.Attend(new AttendRequest(), cancellationToken: away.Token).ResponseStream.MoveNext(away.Token);

        // The open calls reach the coordinator in their own time; from then on there is no place left. One that came while the question below had its place is made again.
        StatusCode refusal;
        do
        {
            for (var i = 0; i < share; i++)
            {
                if (open[i].IsFaulted) open[i] = Attend();
            }

            refusal = await RefusalAsync(greedy.FindUploadAsync(new UploadKey(), cancellationToken: Token).ResponseAsync);
        }
        while (refusal == StatusCode.InvalidArgument);
        Assert.Equal(StatusCode.Unavailable, refusal);
        await ListAsync(server.Dial("patient", MemberKind.Person, PersonRole.DataScientist));

        await away.CancelAsync();
        await Task.WhenAll(open.Select(call => Assert.ThrowsAnyAsync<Exception>(() => call)));
    }

    [Fact]
    public async Task Runs_CalledByASite_AreRefused() =>
        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(ListAsync(server.Dial("west", MemberKind.Site))));

    [Fact]
    public async Task Federation_CalledByAPerson_IsRefused()
    {
        var client = new FederationClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));

        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(client.DeclineAsync(new Notice { RunId = "run-1", Round = 1, Reason = "OutOfMemory" }, cancellationToken: Token).ResponseAsync));
        using var attendance = client.Attend(new AttendRequest(), cancellationToken: Token);
        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(attendance.ResponseStream.MoveNext(Token)));
    }

    [Fact]
    public async Task Blind_CalledByAPerson_IsRefused()
    {
        var client = new BlindClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        var message = new BlindMessage { RunId = "run-1", Round = 1, Stage = BlindStage.Keys };
        var query = new BlindQuery { RunId = "run-1", Round = 1, Stage = BlindStage.Keys };

        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(client.SubmitAsync(message, cancellationToken: Token).ResponseAsync));
        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(client.NextAsync(query, cancellationToken: Token).ResponseAsync));
    }

    [Fact]
    public async Task Blind_MalformedOrOfNoRound_IsAnsweredAndNothingIsStored()
    {
        var client = new BlindClient(server.Dial("lost", MemberKind.Site));
        var message = new BlindMessage { RunId =
            "run-1", Round = 1, Stage = BlindStage.Keys, Message = ByteString.CopyFrom(new byte[300 * 1024]) };

        Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(client.SubmitAsync(message, cancellationToken: Token).ResponseAsync));
        message.Message = ByteString.Empty;
        Assert.Equal("RoundNotOpen", (await client.SubmitAsync(message, cancellationToken: Token)).Refusal);
        message.Stage = BlindStage.Unspecified;
        Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(client.SubmitAsync(message, cancellationToken: Token).ResponseAsync));
        message.RunId = "../run";
        Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(client.SubmitAsync(message, cancellationToken: Token).ResponseAsync));
        var query = new BlindQuery { RunId = "run-1", Round = 1, Stage = BlindStage.Keys };
        Assert.NotNull((await client.NextAsync(query, cancellationToken: Token)).Over);
    }

    [Fact]
    public async Task Submit_ByAnAuditor_IsRefusedButLookingIsNot()
    {
        var client = new RunsClient(server.Dial("audrey", MemberKind.Person, PersonRole.Auditor));

        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(client.SubmitAsync(new JobFile { Yaml = "" }, cancellationToken: Token).ResponseAsync));
        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(client.CancelAsync(new RunKey { RunId = "run-1" }, cancellationToken: Token).ResponseAsync));
        await client.ListAsync(new ListRunsRequest(), cancellationToken: Token);
    }

    [Fact]
    public async Task Submit_ByADataScientist_StartsARunUnderThatName()
    {
        server.SignMember("north", MemberKind.Site);
        var client = new RunsClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));

        var verdict = await client.SubmitAsync(new JobFile { Yaml = JobYaml.Of("north") }, cancellationToken: Token);

        Assert.Empty(verdict.Problems);
        var run = await client.ShowAsync(new RunKey { RunId = verdict.RunId }, cancellationToken: Token);
        Assert.Equal(("ada", "running"), (run.SubmittedBy, run.Status));
    }

    [Fact]
    public async Task Upload_SignedByTheSite_IsAcceptedOnceAndItsWeightsAreNobodysToFetch()
    {
        using var certificate = server.SignMember("south", MemberKind.Site);
        var site = new FederationClient(server.Dial(certificate));
        var scientist = new RunsClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        var verdict = await scientist.SubmitAsync(new JobFile { Yaml = JobYaml.Of("south") }, cancellationToken: Token);
        using var attendance = site.Attend(new AttendRequest { AgentVersion = "0.1.0", Labels = { "kidney", "tumour" } }, cancellationToken: Token);
        Assert.True(await attendance.ResponseStream.MoveNext(Token));
        var plan = RoundPlan.FromBytes(attendance.ResponseStream.Current.Round.Plan.Span);
        Assert.Equal(verdict.RunId, plan.Run.ToString());
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
        var update = SiteUpdate.Of(plan, SiteId.Parse("south"), key);

        var first = await UploadAsync(site, update);
        var again = await UploadAsync(site, update);

        Assert.True(first.Accepted, first.Refusal);
        Assert.True(again.Accepted, again.Refusal);
        var stored = new DownloadRequest { Sha256 = update.Announced.Payload.ToString() };
        using var bySite = site.DownloadModel(stored, cancellationToken: Token);
        using var byPerson = scientist.DownloadModel(stored, cancellationToken: Token);
        Assert.Equal(StatusCode.NotFound, await RefusalAsync(bySite.ResponseStream.MoveNext(Token)));
        Assert.Equal(StatusCode.NotFound, await RefusalAsync(byPerson.ResponseStream.MoveNext(Token)));
    }

    [Fact]
    public async Task DownloadModel_OfARunTheSiteHasNoPartIn_IsNotOffered()
    {
        server.SignMember("inside", MemberKind.Site);
        var scientist = new RunsClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        var verdict = await scientist.SubmitAsync(new JobFile { Yaml = JobYaml.Of("inside") }, cancellationToken: Token);
        var model = (await scientist.ShowAsync(new RunKey { RunId = verdict.RunId }, cancellationToken: Token)).Model.Sha256;
        var outsider = new FederationClient(server.Dial("outside", MemberKind.Site));

        using var call = outsider.DownloadModel(new DownloadRequest { Sha256 = model }, cancellationToken: Token);

        Assert.Equal(StatusCode.NotFound, await RefusalAsync(call.ResponseStream.MoveNext(Token)));
    }

    [Fact]
    public async Task Upload_WithoutHeader_IsInvalid()
    {
        using var call = new FederationClient(server.Dial("west", MemberKind.Site)).Upload(cancellationToken: Token);
        await call.RequestStream.WriteAsync(new UploadPart { Chunk = new Chunk() }, Token);

        Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(call.ResponseAsync));
    }

    private static Task ListAsync(GrpcChannel channel) =>
        new RunsClient(channel).ListAsync(new ListRunsRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(15), cancellationToken: Token).ResponseAsync;

    private static async Task<UploadReceipt> UploadAsync(FederationClient client, SiteUpdate update)
    {
        using var call = client.Upload(cancellationToken: Token);
        await call.RequestStream.WriteAsync(new UploadPart { Header = update.Header }, Token);
        try
        {
            await call.RequestStream.WriteAsync(new UploadPart { Chunk = FileChunks.Of(update.Bytes) }, Token);
            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // The coordinator answered before it had everything.
        }

        return await call.ResponseAsync;
    }

    private static async Task<StatusCode> RefusalAsync(Task call) => (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode;
}

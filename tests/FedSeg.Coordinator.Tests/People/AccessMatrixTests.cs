using System.Reflection;
using FedSeg.Coordinator.Sites;
using FedSeg.Coordinator.Tests.Grpc;
using FedSeg.Federation.Charters;
using FedSeg.Federation.Identity;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using FedSeg.Testing;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Routing;

namespace FedSeg.Coordinator.Tests.People;

/// <summary>
/// Every caller at every door of the coordinator, over real TLS: with a certificate, and people with a token as well. The doors are found by reflection: one without a row
/// here fails.
/// </summary>
public sealed class AccessMatrixTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>
{
    private const string Site = "Site", Everybody = "PlatformAdmin DataScientist SiteOperator PrivacyOfficer Auditor";

    /// <summary>Whoever holds a token may enrol, whoever he is; the token is asked for behind the door.</summary>
    private const string Anyone = Site + " " + nameof(PersonRole.None) + " " + Everybody;

    private const string WithToken = " with a token";

    /// <summary>Who is let in; everybody else is refused.</summary>
    private static readonly Dictionary<string, string> Rows = new()
    {
        ["fedseg.v1.Federation/Attend"] = Site,
        ["fedseg.v1.Federation/DownloadModel"] = Site,
        ["fedseg.v1.Federation/FindUpload"] = Site,
        ["fedseg.v1.Federation/Upload"] = Site,
        ["fedseg.v1.Federation/Decline"] = Site,
        ["fedseg.v1.Federation/Await"] = Site,
        ["fedseg.v1.Federation/RenewCertificate"] = Site,
        ["fedseg.v1.Enrolment/GetAuthority"] = Anyone,
        ["fedseg.v1.Enrolment/Enrol"] = Anyone,
        ["fedseg.v1.Blind/Submit"] = Site,
        ["fedseg.v1.Blind/Next"] = Site,
        ["fedseg.v1.Ledgers/AddCheckpoint"] = Site,
        ["fedseg.v1.Ledgers/GetCheckpoint"] = Site,
        ["fedseg.v1.Ledgers/AddCosignature"] = Site,
        ["fedseg.v1.Runs/Validate"] = "DataScientist",
        ["fedseg.v1.Runs/Submit"] = "DataScientist",
        ["fedseg.v1.Runs/List"] = Everybody,
        ["fedseg.v1.Runs/Show"] = Everybody,
        ["fedseg.v1.Runs/Watch"] = Everybody,
        ["fedseg.v1.Runs/Pause"] = "DataScientist PlatformAdmin",
        ["fedseg.v1.Runs/Resume"] = "DataScientist PlatformAdmin",
        ["fedseg.v1.Runs/Cancel"] = "DataScientist PlatformAdmin",
        ["fedseg.v1.Runs/ListModels"] = Everybody,
        ["fedseg.v1.Runs/DownloadModel"] = "DataScientist Auditor",
    };

    /// <summary>What the operators' port answers to anybody who reaches it: nothing of the federation.</summary>
    private static readonly string[] OperatorsRows = ["/health/live", "/health/ready", "/metrics"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Doors_EveryOne_HasARow() => Assert.Equal(Rows.Keys.Order(), Methods().Select(NameOf).Order());

    [Fact]
    public void Endpoints_EveryMappedOne_IsADoorOrTheWallBesideIt()
    {
        var mapped = server.Part<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToList();
        var doors = mapped.Where(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is not null).ToList();
        // What answers that there is no such service or method; it names no policy, so it answers nobody.
        var others = mapped.Except(doors).Select(endpoint => endpoint.RoutePattern.RawText!).Where(route => !route.Contains("{unimplemented", StringComparison.Ordinal));

        Assert.Equal(Rows.Keys.Order(), doors.Select(door => door.RoutePattern.RawText!.TrimStart('/')).Order());
        Assert.Empty(others);
        Assert.Equal(OperatorsRows, server.OperatorsRoutes.Order());
    }

    [Fact]
    public async Task Call_EveryCallerAtEveryDoor_IsLetInOrRefusedAsItsRowSays()
    {
        var callers = new Dictionary<string, GrpcChannel>
        {
            [Site] = server.Dial("matrix", MemberKind.Site),
            [nameof(PersonRole.None)] = server.Dial("norman", MemberKind.Person),
        };
        foreach (var role in Everybody.Split(' '))
        {
            callers[role] = server.Dial(role.ToLowerInvariant(), MemberKind.Person, Enum.Parse<PersonRole>(role));
            callers[role + WithToken] = server.DialWithToken(await server.Provider.SignInAsync(role.ToLowerInvariant() + "-token", "elsewhere", "group-" + role));
        }

        callers[nameof(PersonRole.None) + WithToken] = server.DialWithToken(await server.Provider.SignInAsync("norman", "elsewhere", "Site"));

        var wrong = new List<string>();
        foreach (var door in Methods())
        {
            foreach (var (caller, channel) in callers)
            {
                var status = await CallAsync(channel, door, []);
                var letIn = status is not (StatusCode.PermissionDenied or StatusCode.Unauthenticated);
                if (letIn != Rows[NameOf(door)].Split(' ').Contains(caller.Replace(WithToken, "", StringComparison.Ordinal))) wrong.Add($"{NameOf(door)} by {caller}: {status}");
            }
        }

        Assert.Empty(wrong);
    }

    /// <summary>Object by object: a role in one study opens nothing of another, and does not even tell that it is there.</summary>
    [Fact]
    public async Task Call_EveryRoleOfOneStudy_ReachesThatStudysRunsAndNoOther()
    {
        var (own, foreign, none) = (await SubmitAsync("lungs", seed: 1), await SubmitAsync("kidneys", seed: 2), await SubmitAsync(study: null, seed: 3));
        var wrong = new List<string>();
        foreach (var (role, channel) in await OfLungsAsync())
        {
            foreach (var door in Methods().Where(door => door.InputType.ClrType == typeof(RunKey)))
            {
                var may = Rows[NameOf(door)].Split(' ').Contains(role);
                await ExpectAsync(own, may ? StatusCode.OK : StatusCode.PermissionDenied);
                await ExpectAsync(foreign, may ? StatusCode.NotFound : StatusCode.PermissionDenied);
                await ExpectAsync(none, may ? StatusCode.NotFound : StatusCode.PermissionDenied);

                async Task ExpectAsync(string run, StatusCode expected)
                {
                    var status = await CallAsync(channel, door, new RunKey { RunId = run }.ToByteArray());
                    if (status != expected) wrong.Add($"{NameOf(door)} of {run} by {role}: {status}, not {expected}");
                }
            }

            var client = new Runs.RunsClient(channel);
            var runs = (await client.ListAsync(new ListRunsRequest(), cancellationToken: Token)).Runs.Select(run => run.Id);
            var models = (await client.ListModelsAsync(new ListModelsRequest(), cancellationToken: Token)).Models.Select(model => model.RunId);
            if (!runs.Contains(own) || runs.Concat(models).Any(run => run != own && !run.Contains("lungs", StringComparison.Ordinal))) wrong.Add($"lists of {role}: {string.Join(", ", runs)}");
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task DownloadModel_OfAnotherStudy_IsNotThere()
    {
        var (own, foreign) = (await SubmitAsync("lungs", seed: 4), await SubmitAsync("kidneys", seed: 5));
        var models = (await new Runs.RunsClient(Anybody()).ListModelsAsync(new ListModelsRequest(), cancellationToken: Token)).Models;
        var auditor = server.Dial("lung-audit", MemberKind.Person, PersonRole.None, [new StudyRole("lungs", PersonRole.Auditor)]);
        var door = Methods().Single(door => NameOf(door) == "fedseg.v1.Runs/DownloadModel");
        Task<StatusCode> DownloadAsync(string run) =>
            CallAsync(auditor, door, new DownloadRequest { Sha256 = models.First(model => model.RunId == run).Sha256 }.ToByteArray());

        Assert.Equal(StatusCode.OK, await DownloadAsync(own));
        Assert.Equal(StatusCode.NotFound, await DownloadAsync(foreign));
    }

    [Theory]
    [InlineData("kidneys")]
    [InlineData(null)]
    public async Task Submit_ToAStudyWithoutARoleInIt_IsRefused(string? study)
    {
        server.SignMember("submitting", MemberKind.Site);
        var client = new Runs.RunsClient(server.Dial("lung-scientist", MemberKind.Person, PersonRole.None, [new StudyRole("lungs", PersonRole.DataScientist)]));
        var job = new JobFile { Yaml = JobOf("submitting", study, seed: 6) };

        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await client.SubmitAsync(job, cancellationToken: Token))).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await client.ValidateAsync(job, cancellationToken: Token))).StatusCode);
    }

    [Fact]
    public async Task Submit_OutsideItsStudysCharter_IsRefusedWithEveryReason_AndOfAnotherStudyNothingIsTold()
    {
        server.SignMember("chartered", MemberKind.Site);
        server.Hold(Assert.IsType<CharterFileResult.Valid>(CharterFile.Parse(CharterYaml.With(
            ("kidneys-2026", "hearts"), ("south, north, east", "chartered"), ("coordinator.example", "127.0.0.1"), ("2026-06-30", "2126-06-30")))).Charter);
        var within = new JobFile { Yaml = JobOf("chartered", "hearts", seed: 7) };
        var beyond = new JobFile { Yaml = JobOf("chartered", "hearts", seed: 7).Replace("rounds: 1", "rounds: 6").Replace("stepsPerRound: 3", "stepsPerRound: 21") };
        var hearts = new Runs.RunsClient(server.Dial("heart-scientist", MemberKind.Person, PersonRole.None, [new StudyRole("hearts", PersonRole.DataScientist)]));
        var lungs = new Runs.RunsClient(server.Dial("lung-scientist-too", MemberKind.Person, PersonRole.None, [new StudyRole("lungs", PersonRole.DataScientist)]));

        var refused = await hearts.SubmitAsync(beyond, cancellationToken: Token);
        Assert.Equal(["6 rounds; 5 are approved", "21 steps in a round; 20 are approved"], refused.Problems.Select(problem => problem.Message.Split(": ")[^1]));
        Assert.Empty(refused.RunId);
        Assert.Empty((await hearts.ValidateAsync(within, cancellationToken: Token)).Problems);
        Assert.Equal(
            "You have no role in the study 'hearts' that may start runs.",
            (await Assert.ThrowsAsync<RpcException>(async () => await lungs.ValidateAsync(beyond, cancellationToken: Token))).Status.Detail);
    }

    private async Task<string> SubmitAsync(string? study, int seed)
    {
        server.SignMember("studied", MemberKind.Site);
        var verdict = await new Runs.RunsClient(Anybody()).SubmitAsync(new JobFile { Yaml = JobOf("studied", study, seed) }, cancellationToken: Token);
        Assert.Empty(verdict.Problems);
        return verdict.RunId;
    }

    /// <summary>Every role in that study, with a certificate and with a token.</summary>
    private async Task<IReadOnlyList<(string Role, GrpcChannel Channel)>> OfLungsAsync()
    {
        var people = new List<(string, GrpcChannel)>();
        foreach (var role in Everybody.Split(' '))
        {
            people.Add((role, server.Dial("lung-" + role.ToLowerInvariant(), MemberKind.Person, PersonRole.None, [new StudyRole("lungs", Enum.Parse<PersonRole>(role))])));
            // The settings refuse a platform admin of one study.
            if (role != nameof(PersonRole.PlatformAdmin)) people.Add((role, server.DialWithToken(await server.Provider.SignInAsync("lung-" + role, "lungs-" + role))));
        }

        return people;
    }

    private GrpcChannel Anybody() => server.Dial("everywhere", MemberKind.Person, PersonRole.DataScientist);

    private static string JobOf(string site, string? study, int seed) =>
        JobYaml.Of(site).Replace("name: kidneys", $"name: {study ?? "free"}", StringComparison.Ordinal) + $"\nseed: {seed}\n" + (study is null ? "" : $"study: {study}\n");

    private static IEnumerable<MethodDescriptor> Methods() => typeof(Runs).Assembly.GetTypes()
        .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as ServiceDescriptor)
        .Where(service => service is not null)
        .SelectMany(service => service!.Methods);

    private static string NameOf(MethodDescriptor door) => $"{door.Service.FullName}/{door.Name}";

    private static async Task WaitAsync(Func<bool> until)
    {
        while (!until()) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
    }

    /// <summary>How a call ends; a stream, with its first message or its end.</summary>
    private async Task<StatusCode> CallAsync(GrpcChannel channel, MethodDescriptor door, byte[] request)
    {
        var bytes = Marshallers.Create(value => value, value => value);
        var type = (door.IsClientStreaming, door.IsServerStreaming) switch
        {
            (false, false) => MethodType.Unary,
            (true, false) => MethodType.ClientStreaming,
            (false, true) => MethodType.ServerStreaming,
            _ => MethodType.DuplexStreaming,
        };
        var method = new Method<byte[], byte[]>(type, door.Service.FullName, door.Name, bytes, bytes);
        var sites = server.Part<SiteDirectory>();
        var (invoker, options) = (channel.CreateCallInvoker(), new CallOptions(cancellationToken: Token));
        try
        {
            switch (type)
            {
                case MethodType.Unary:
                    await invoker.AsyncUnaryCall(method, null, options, request);
                    break;
                case MethodType.ClientStreaming:
                    using (var upload = invoker.AsyncClientStreamingCall(method, null, options))
                    {
                        await upload.RequestStream.CompleteAsync();
                        await upload;
                    }

                    break;
                default:
                    using (var stream = invoker.AsyncServerStreamingCall(method, null, options, request))
                    {
                        var first = stream.ResponseStream.MoveNext(Token);
                        // A site that attends hears nothing until there is something to do.
                        if (door.Name == "Attend") await WaitAsync(() => first.IsCompleted || sites.Count > 0);
                        if (door.Name != "Attend" || first.IsCompleted) await first;
                    }

                    await WaitAsync(() => sites.Count == 0);
                    break;
            }

            return StatusCode.OK;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }
}

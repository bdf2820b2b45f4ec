using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Protocol.V1;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;
using FedSeg.SecureAggregation.Sites;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace FedSeg.SiteAgent.Tests.Assignments;

/// <summary>
/// A coordinator of one blind round with four honest sites of its own, over real TLS; a script changes what it tells the agent, and nothing
/// else is wrong with it.
/// </summary>
internal sealed class ScriptedCoordinator : IAsyncDisposable
{
    private readonly SiteId _victim;
    private readonly SumServer _server;
    private readonly Dictionary<SiteId, SumClient> _others = [];
    private readonly List<IDisposable> _owned = [];
    private TlsServer _host = null!;

    private ScriptedCoordinator(string root, FederationAuthority authority, RoundPlan plan, SiteId victim)
    {
        (_victim, Plan) = (victim, plan);
        var trusted = Own(KeyFiles.LoadAuthority(authority.CertificatePath));
        Check = (site, certificate) => SiteCertificates.FindKey(certificate, site.ToString(), [trusted]);
        _server = new SumServer(SumContext.Of(plan), Check);
        foreach (var site in plan.Blind!.Sites.Where(site => site != victim)) _others[site] = Join(root, authority, plan, site);
    }

    public RoundPlan Plan { get; }

    public SiteKeyCheck Check { get; }

    /// <summary>Changes what the agent hears after a stage.</summary>
    public Func<SumStage, byte[], byte[]> Script { get; set; } = (_, message) => message;

    /// <summary>Whether it takes a message that an honest server would refuse, and goes on with the others'.</summary>
    public bool TakesAnything { get; set; }

    /// <summary>Stages in which the agent said something.</summary>
    public List<SumStage> Said { get; } = [];

    /// <summary>Bytes of the masked update; 0 while none came.</summary>
    public long Uploaded { get; private set; }

    /// <summary>Whether the agent's shares were enough, with those of the others, to take the masks off.</summary>
    public bool CanUnmask => _server is { Stage: SumStage.Done, Failure: null } && _server.Recover().Abort is null;

    /// <summary>What every site of the round knows the roster by.</summary>
    public byte[] RosterDigest => _others.Values.First().RosterDigest.ToArray();

    public string Address => _host.Address;

    public static async Task<ScriptedCoordinator> StartAsync(string root, FederationAuthority authority, RoundPlan plan, SiteId victim)
    {
        var coordinator = new ScriptedCoordinator(root, authority, plan, victim);
        coordinator._host = await TlsServer.StartAsync(root, authority, coordinator, app =>
        {
            app.MapGrpcService<BlindDoor>();
            app.MapGrpcService<UploadDoor>();
        });
        return coordinator;
    }

    /// <summary>The roster of a round with other sites, another model or another number, all of whose keys are true.</summary>
    public static byte[] RosterOf(string root, FederationAuthority authority, RoundPlan plan)
    {
        using var trusted = KeyFiles.LoadAuthority(authority.CertificatePath);
        var server = new SumServer(SumContext.Of(plan), (site, certificate) =>
            SiteCertificates.FindKey(certificate, site.ToString(), [trusted]));
        foreach (var site in plan.Blind!.Sites)
        {
            var credential = Credential(root, authority, site);
            using var key = credential.Key;
            using var client = new SumClient(SumContext.Of(plan), site, credential, (_, certificate) =>
                SiteCertificates.ReadKey(certificate), 3, RandomNumberGenerator.Create());
            Assert.Null(server.Accept(SumStage.Keys, site, Message(client.Advertise())));
        }

        Assert.Null(server.Close());
        return server.MessageAfter(SumStage.Keys, plan.Blind.Sites[0])!;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        foreach (var client in _others.Values) client.Dispose();
        foreach (var item in _owned) item.Dispose();
    }

    private static SiteCredential Credential(string root, FederationAuthority authority, SiteId site)
    {
        var path = Path.Combine(root, Guid.NewGuid().ToString("N"));
        var pem = authority.SignMember(KeyFiles.CreateRequest(
            path + ".key", site.ToString()), MemberKind.Site, site.ToString(), PersonRole.None, TimeSpan.FromDays(1));
        File.WriteAllText(path + ".pem", pem);
        using var certificate = KeyFiles.LoadCertificate(path + ".pem", path + ".key");
        return new SiteCredential(certificate.RawData, certificate.GetECDsaPrivateKey()!);
    }

    private SumClient Join(string root, FederationAuthority authority, RoundPlan plan, SiteId site)
    {
        var credential = Credential(root, authority, site);
        Own(credential.Key);
        return new SumClient(SumContext.Of(plan), site, credential, Check, 3, RandomNumberGenerator.Create());
    }

    private AbortReason? Take(SumStage stage, byte[] message)
    {
        Said.Add(stage);
        if (_server.Accept(stage, _victim, message) is { } refusal && !TakesAnything) return refusal;
        foreach (var (site, client) in _others)
        {
            var answer = stage switch
            {
                SumStage.Keys => client.Advertise(),
                SumStage.Shares => client.AnswerRoster(_server.MessageAfter(SumStage.Keys, site)),
                SumStage.Confirmations => client.AnswerSurvivors(_server.MessageAfter(SumStage.Masked, site)),
                _ => client.AnswerConfirmations(_server.MessageAfter(SumStage.Confirmations, site)),
            };
            Assert.Null(_server.Accept(stage, site, Message(answer)));
        }

        return _server.Close();
    }

    private void TakeUpload(long bytes)
    {
        Uploaded = bytes;
        foreach (var (site, client) in _others)
        {
            Assert.IsType<StepOutcome.ReadyToMask>(client.AcceptShares(_server.MessageAfter(SumStage.Shares, site)));
            client.TakeMasks().Dispose();
        }

        Assert.Null(_server.Close([.. Plan.Blind!.Sites]));
    }

    private byte[]? Tell(SumStage stage) => _server.MessageAfter(stage, _victim) is { } message ? Script(stage, message) : null;

    private T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    private static byte[] Message(StepOutcome outcome) => Assert.IsType<StepOutcome.Reply>(outcome).Message;

    private sealed class BlindDoor(ScriptedCoordinator coordinator) : Blind.BlindBase
    {
        public override Task<BlindReceipt> Submit(BlindMessage request, ServerCallContext context) => Task.FromResult(new BlindReceipt
        {
            Refusal = coordinator.Take(StageOf(request.Stage), request.Message.ToByteArray())?.ToString() ?? "",
        });

        public override Task<BlindReply> Next(BlindQuery request, ServerCallContext context) => Task.FromResult(
            coordinator.Tell(StageOf(request.Stage)) is { } message
                ? new BlindReply { Message = ByteString.CopyFrom(message) }
                : new BlindReply { Over = new BlindReply.Types.Over() });

        private static SumStage StageOf(BlindStage stage) => (SumStage)((int)stage - 1);
    }

    private sealed class UploadDoor(ScriptedCoordinator coordinator) : Protocol.V1.Federation.FederationBase
    {
        public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context) => Task.FromResult(new UploadOffset());

        public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
        {
            var bytes = 0L;
            while (await requestStream.MoveNext(context.CancellationToken)) bytes += requestStream.Current.Chunk?.Data.Length ?? 0;
            coordinator.TakeUpload(bytes);
            return new UploadReceipt { Accepted = true };
        }
    }
}

using System.Security.Cryptography;
using FedSeg.Hosting.Certificates;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using static FedSeg.Protocol.V1.Ledgers;

namespace FedSeg.Coordinator.Tests.Grpc;

/// <summary>Mutual cosigning over the real wire.</summary>
public sealed class LedgersServiceTests(CoordinatorServer server) : IClassFixture<CoordinatorServer>, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fedseg-site-ledger-").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task AddCheckpoint_GrowingLedger_IsCosignedEachTime()
    {
        var client = Client("cosigned");
        await AppendAsync("cosigned", 2);
        var first = await AddAsync(client, oldSize: 0);
        await AppendAsync("cosigned", 3);
        var second = await AddAsync(client, oldSize: 2);

        using var coordinatorKey = ECDsa.Create();
        coordinatorKey.ImportSubjectPublicKeyInfo((await client.GetCheckpointAsync(new GetCheckpointRequest(), cancellationToken: Token)).PublicKey.Span, out _);
        Assert.NotEmpty(first.Cosignature);
        Assert.True(Cosignature.FromLine(second.Cosignature)!.IsSignedBy(coordinatorKey, Log.Checkpoint.Checkpoint));
    }

    [Fact]
    public async Task AddCheckpoint_RolledBackLedger_ShowsTheSiteItsOwnSignature()
    {
        var client = Client("rolled-back");
        await AppendAsync("rolled-back", 4);
        await AddAsync(client, oldSize: 0);
        Directory.Delete(LedgerPath, recursive: true);
        await AppendAsync("rolled-back", 1);

        var answer = await AddAsync(client, oldSize: 0);
        var last = SignedCheckpoint.Parse(answer.SizeMismatch.Checkpoint)!;
        Assert.True(last.IsSignedBy(_key));
        Assert.Equal(1, OwnPast.FirstLost(Log, last));
    }

    [Fact]
    public async Task AddCheckpoint_AnotherSitesLedger_IsRefusedAndNoted()
    {
        await AppendAsync("victim", 1);

        // An agent asks again every few seconds; one entry says it.
        for (var attempt = 0; attempt < 3; attempt++) Assert.Equal("NotSigned", (await AddAsync(Client("thief"), oldSize: 0)).Refusal);
        Assert.Single(server.Part<FedSeg.Coordinator.Ledgers.CoordinatorLedger>().Read().Entries(), entry => entry.Action == "siteLedgerRefused" && entry.Facts["site"] == "thief");
    }

    [Fact]
    public async Task GetCheckpointAndAddCosignature_WitnessingSite_IsKeptByTheCoordinator()
    {
        var client = Client("witness");
        var answer = await client.GetCheckpointAsync(new GetCheckpointRequest(), cancellationToken: Token);
        var witness = new Witness(Path.Combine(_directory, "witnessed"), LedgerNames.OfSite("witness"), _key, TimeProvider.System);
        Assert.IsType<WitnessOutcome.Cosigned>(witness.Cosign(LedgerNames.Coordinator, answer.PublicKey.Span, answer.Checkpoint, 0, []));
        var cosigned = witness.Last(LedgerNames.Coordinator)!;
        var request = new AddCosignatureRequest { PublicKey = ByteString.CopyFrom(_key.ExportSubjectPublicKeyInfo()), Checkpoint = cosigned.Note };
        await client.AddCosignatureAsync(request, cancellationToken: Token);

        Assert.Equal(cosigned.Note, server.Part<FedSeg.Coordinator.Ledgers.CoordinatorLedger>().Read().Cosigned!.Note);
        var stranger = Client("stranger").AddCosignatureAsync(request, cancellationToken: Token).ResponseAsync;
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => stranger)).StatusCode);
    }

    [Fact]
    public async Task GetCheckpoint_MoreThanThereIs_IsEmpty() =>
        Assert.Empty((await Client("ahead").GetCheckpointAsync(new GetCheckpointRequest { OldSize = 1000 }, cancellationToken: Token)).Checkpoint);

    [Fact]
    public async Task AnyCall_ByAPersonOrTooLong_IsRefused()
    {
        var person = new LedgersClient(server.Dial("ada", MemberKind.Person, PersonRole.DataScientist));
        var tooLong = new AddCheckpointRequest { Checkpoint = new string('x', 100_000) };

        Assert.Equal(StatusCode.PermissionDenied, await RefusalAsync(person.GetCheckpointAsync(new GetCheckpointRequest(), cancellationToken: Token).ResponseAsync));
        Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(Client("long").AddCheckpointAsync(tooLong, cancellationToken: Token).ResponseAsync));
    }

    private string LedgerPath => Path.Combine(_directory, "ledger");

    private LedgerReader Log => LedgerReader.Open(LedgerPath);

    private LedgersClient Client(string site) => new(server.Dial(site, MemberKind.Site));

    private async Task AppendAsync(string site, int entries)
    {
        using var writer = LedgerWriter.Open(LedgerPath, LedgerNames.OfSite(site), _key, TimeProvider.System);
        for (var i = 0; i < entries; i++) await writer.AppendAsync("tested", []);
    }

    private async Task<AddCheckpointReply> AddAsync(LedgersClient client, long oldSize) => await client.AddCheckpointAsync(
        new AddCheckpointRequest
        {
            PublicKey = ByteString.CopyFrom(_key.ExportSubjectPublicKeyInfo()),
            Checkpoint = Log.Checkpoint.Note,
            OldSize = oldSize,
            Proof = { Log.ConsistencyProof(oldSize).Select(hash => ByteString.CopyFrom(hash.Bytes)) },
        },
        cancellationToken: Token);

    private static async Task<StatusCode> RefusalAsync(Task call) => (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode;
}

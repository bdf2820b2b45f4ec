using System.Collections.Concurrent;
using System.Security.Cryptography;
using FedSeg.Egress.Tests;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace FedSeg.SiteAgent.Tests.Assignments;

/// <summary>A coordinator that a whole agent attends at, over real TLS: it asks for its rounds at each attendance and notes what it is told.</summary>
internal sealed class AttendedCoordinator : IAsyncDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly LedgerWriter _ledger;
    private readonly Witness _witness;
    private readonly SemaphoreSlim _said = new(0);
    private TlsServer _host = null!;
    private SigningCoordinator _signer = null!;
    private TaskCompletionSource _hangUp = NewSignal();

    private AttendedCoordinator(string root)
    {
        _ledger = LedgerWriter.Open(Path.Combine(root, "coordinator-ledger"), LedgerNames.Coordinator, _key, TimeProvider.System);
        _witness = new Witness(Path.Combine(root, "coordinator-witnessed"), LedgerNames.Coordinator, _key, TimeProvider.System);
    }

    public string Address => _host.Address;

    /// <summary>What it asks for; it asks on every connection once for each.</summary>
    public RoundPlan[] Rounds { get; set; } = [];

    /// <summary>How it signs what it asks for.</summary>
    public Func<SigningCoordinator, RoundPlan, SignedPlan> Sign { get; set; } = (signer, plan) => signer.Sign(plan, "north", TimeProvider.System.GetUtcNow());

    /// <summary>What the agent said when it came, in order.</summary>
    public ConcurrentQueue<AttendRequest> Attendances { get; } = [];

    /// <summary>Rounds it declined, in order.</summary>
    public ConcurrentQueue<Notice> Declined { get; } = [];

    /// <summary>Rounds that wait for a person of the site, in order.</summary>
    public ConcurrentQueue<ReviewNotice> Awaited { get; } = [];

    /// <summary>Updates it was sent, in order; it takes each.</summary>
    public ConcurrentQueue<UploadKey> Uploads { get; } = [];

    public static async Task<AttendedCoordinator> StartAsync(string root, FederationAuthority authority)
    {
        var coordinator = new AttendedCoordinator(root);
        coordinator._host = await TlsServer.StartAsync(root, authority, coordinator, app =>
        {
            app.MapGrpcService<Door>();
            app.MapGrpcService<LedgersDoor>();
        });
        coordinator._signer = new SigningCoordinator(KeyFiles.LoadCertificate(Path.Combine(root, "coordinator.pem"), Path.Combine(root, "coordinator.key")));
        return coordinator;
    }

    /// <summary>Ends the attendance that there is.</summary>
    public void HangUp() => Interlocked.Exchange(ref _hangUp, NewSignal()).SetResult();

    /// <summary>Waits until what it was told is as expected.</summary>
    public async Task UntilAsync(Func<bool> told, CancellationToken cancellationToken)
    {
        while (!told()) Assert.True(await _said.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken), "the agent fell silent");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _signer.Dispose();
        _ledger.Dispose();
        _key.Dispose();
        _said.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Note<T>(ConcurrentQueue<T> where, T what)
    {
        where.Enqueue(what);
        _said.Release();
    }

    private sealed class Door(AttendedCoordinator coordinator) : Protocol.V1.Federation.FederationBase
    {
        public override async Task Attend(AttendRequest request, IServerStreamWriter<Assignment> responseStream, ServerCallContext context)
        {
            var hungUp = coordinator._hangUp.Task;
            coordinator.Note(coordinator.Attendances, request);
            foreach (var plan in coordinator.Rounds)
            {
                var signature = coordinator.Sign(coordinator._signer, plan).Signature;
                var round = new PlannedRound
                {
                    Plan = ByteString.CopyFrom(plan.ToBytes()),
                    Signature = new Protocol.V1.PlanSignature
                    {
                        IssuedMs = signature.Issued.ToUnixTimeMilliseconds(),
                        ExpiresMs = signature.Expires.ToUnixTimeMilliseconds(),
                        Certificate = ByteString.CopyFrom(signature.Certificate.Span),
                        Value = ByteString.CopyFrom(signature.Value.Span),
                    },
                };
                await responseStream.WriteAsync(new Assignment { Round = round }, context.CancellationToken);
            }

            await hungUp.WaitAsync(context.CancellationToken);
        }

        public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context)
        {
            coordinator.Note(coordinator.Uploads, request);
            return Task.FromResult(new UploadOffset());
        }

        public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                // It keeps nothing.
            }

            return new UploadReceipt { Accepted = true };
        }

        public override Task<NoticeReceipt> Decline(Notice request, ServerCallContext context)
        {
            coordinator.Note(coordinator.Declined, request);
            return Task.FromResult(new NoticeReceipt());
        }

        public override Task<NoticeReceipt> Await(ReviewNotice request, ServerCallContext context)
        {
            coordinator.Note(coordinator.Awaited, request);
            return Task.FromResult(new NoticeReceipt());
        }
    }

    private sealed class LedgersDoor(AttendedCoordinator coordinator) : Protocol.V1.Ledgers.LedgersBase
    {
        public override Task<LogCheckpoint> GetCheckpoint(GetCheckpointRequest request, ServerCallContext context)
        {
            var log = LedgerReader.Open(coordinator._ledger.Directory);
            var proof = log.ConsistencyProof(request.OldSize).Select(hash => ByteString.CopyFrom(hash.Bytes));
            return Task.FromResult(new LogCheckpoint
            {
                PublicKey = ByteString.CopyFrom(coordinator._ledger.PublicKey),
                Checkpoint = log.Checkpoint.Note,
                Proof = { proof },
            });
        }

        public override Task<AddCosignatureReply> AddCosignature(AddCosignatureRequest request, ServerCallContext context) =>
            Task.FromResult(new AddCosignatureReply());

        public override Task<AddCheckpointReply> AddCheckpoint(AddCheckpointRequest request, ServerCallContext context)
        {
            var proof = request.Proof.Select(hash => MerkleHash.FromBytes(hash.Span)).ToList();
            var name = LedgerNames.OfSite("north");
            return Task.FromResult(coordinator._witness.Cosign(name, request.PublicKey.Span, request.Checkpoint, request.OldSize, proof) switch
            {
                WitnessOutcome.Cosigned { Cosignature: var cosignature } => new AddCheckpointReply { Cosignature = cosignature.ToLine() },
                WitnessOutcome.SizeMismatch { Last: var last } => new AddCheckpointReply { SizeMismatch = new CosignedSize { Checkpoint = last?.Note ?? "" } },
                WitnessOutcome.Refused { Reason: var reason } => new AddCheckpointReply { Refusal = reason.ToString() },
                var other => throw new InvalidOperationException($"A witness does not answer {other.GetType().Name}."),
            });
        }
    }
}

using System.Security.Cryptography;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Witnessing;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;

namespace FedSeg.Coordinator.Grpc;

/// <summary>Cosigns the sites' ledgers and lets them cosign the coordinator's. Which ledger is meant follows from the client certificate.</summary>
[Authorize(MemberAuthentication.SitePolicy)]
internal sealed partial class LedgersService(CoordinatorLedger ledger, ILogger<LedgersService> logger) : Protocol.V1.Ledgers.LedgersBase
{
    private const int MaximumKeyBytes = 256, MaximumProof = 64;

    public override async Task<AddCheckpointReply> AddCheckpoint(AddCheckpointRequest request, ServerCallContext context)
    {
        var site = context.GetHttpContext().User.Identity!.Name!;
        CheckLengths(request.PublicKey, request.Checkpoint);
        if (request.Proof.Count > MaximumProof || request.Proof.Any(hash => hash.Length != MerkleHash.Length))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "A consistency proof has at most 64 hashes of 32 bytes."));
        }

        var proof = request.Proof.Select(hash => MerkleHash.FromBytes(hash.Span)).ToList();
        switch (ledger.Witness.Cosign(LedgerNames.OfSite(site), request.PublicKey.Span, request.Checkpoint, request.OldSize, proof))
        {
            case WitnessOutcome.Cosigned { Cosignature: var cosignature }:
                ledger.NoteCosigned(site);
                return new AddCheckpointReply { Cosignature = cosignature.ToLine() };
            case WitnessOutcome.SizeMismatch { Last: var last }:
                // An honest site proves from there next; one that was rolled back can't, and learns it from its own signature.
                return new AddCheckpointReply { SizeMismatch = new CosignedSize { Checkpoint = last?.Note ?? "" } };
            case WitnessOutcome.Refused { Reason: var reason }:
                LogRefused(site, reason);
                await ledger.NoteRefusalAsync(site, reason.ToString());
                return new AddCheckpointReply { Refusal = reason.ToString() };
            case var other:
                throw new InvalidOperationException($"A witness does not answer {other.GetType().Name}.");
        }
    }

    public override Task<LogCheckpoint> GetCheckpoint(GetCheckpointRequest request, ServerCallContext context)
    {
        var log = ledger.Read();
        if (request.OldSize < 0 || request.OldSize > log.Count)
        {
            LogShorter(context.GetHttpContext().User.Identity!.Name!, request.OldSize, log.Count);
            return Task.FromResult(new LogCheckpoint());
        }

        var proof = log.ConsistencyProof(request.OldSize).Select(hash => ByteString.CopyFrom(hash.Bytes));
        return Task.FromResult(new LogCheckpoint { PublicKey = ByteString.CopyFrom(ledger.PublicKey), Checkpoint = log.Checkpoint.Note, Proof = { proof } });
    }

    public override Task<AddCosignatureReply> AddCosignature(AddCosignatureRequest request, ServerCallContext context)
    {
        var site = context.GetHttpContext().User.Identity!.Name!;
        CheckLengths(request.PublicKey, request.Checkpoint);
        using var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(request.PublicKey.Span, out _);
            if (SignedCheckpoint.Parse(request.Checkpoint) is not { Cosignatures: [var cosignature] } cosigned || cosignature.Name != LedgerNames.OfSite(site))
            {
                throw new ArgumentException("This is no checkpoint that the site cosigned.");
            }

            ledger.KeepCosigned(cosigned, key);
            return Task.FromResult(new AddCosignatureReply());
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "This is no checkpoint of the coordinator's ledger that the site cosigned."));
        }
    }

    private static void CheckLengths(ByteString key, string checkpoint)
    {
        if (key.Length > MaximumKeyBytes || checkpoint.Length > SignedCheckpoint.MaxBytes)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The key or the checkpoint is longer than one can be."));
        }
    }

    [LoggerMessage(220, LogLevel.Error, "Did not cosign the ledger of {Site}: {Reason}. It is not what it was when it was cosigned last")]
    private partial void LogRefused(string site, WitnessRefusal reason);

    [LoggerMessage(221, LogLevel.Error, "Site {Site} cosigned {Cosigned} entries of the coordinator's ledger, which has {Size}: it was rolled back; restore its folder from the newest backup")]
    private partial void LogShorter(string site, long cosigned, long size);
}

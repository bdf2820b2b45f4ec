using FedSeg.Ledger.Checkpoints;
using FedSeg.Ledger.Merkle;
using FedSeg.Ledger.Storage;
using FedSeg.Ledger.Witnessing;
using FedSeg.Protocol.V1;
using Google.Protobuf;

namespace FedSeg.SiteAgent.Coordinator;

/// <summary>The coordinator as the other party of mutual cosigning: what it says is parsed here and believed nowhere.
/// What goes out is sizes, hashes, public keys and signatures, and so needs no clearance.</summary>
internal sealed class LedgerPeer(CoordinatorChannel channel)
{
    private readonly Protocol.V1.Ledgers.LedgersClient _ledgers = new(channel.Calls);

    /// <summary>Asks the coordinator to cosign this site's newest checkpoint.</summary>
    /// <returns>Its answer; <see langword="null"/> when it makes no sense.</returns>
    /// <exception cref="ConnectionLostException">The connection could not be made or broke.</exception>
    public async Task<WitnessOutcome?> AskToCosignAsync(byte[] publicKey, LedgerReader log, long oldSize, CancellationToken cancellationToken)
    {
        var request = new AddCheckpointRequest
        {
            PublicKey = ByteString.CopyFrom(publicKey),
            Checkpoint = log.Checkpoint.Note,
            OldSize = oldSize,
            Proof = { log.ConsistencyProof(oldSize).Select(hash => ByteString.CopyFrom(hash.Bytes)) },
        };
        var reply = await CoordinatorChannel.ConnectedAsync(
            async () => await _ledgers.AddCheckpointAsync(request, deadline: channel.Deadline, cancellationToken: cancellationToken), cancellationToken);
        return reply.OutcomeCase switch
        {
            AddCheckpointReply.OutcomeOneofCase.Cosignature when Cosignature.FromLine(reply.Cosignature) is { } line => new WitnessOutcome.Cosigned(line),
            AddCheckpointReply.OutcomeOneofCase.SizeMismatch when reply.SizeMismatch.Checkpoint.Length == 0 => new WitnessOutcome.SizeMismatch(null),
            AddCheckpointReply.OutcomeOneofCase.SizeMismatch when SignedCheckpoint.Parse(reply.SizeMismatch.Checkpoint) is { } last =>
                new WitnessOutcome.SizeMismatch(last),
            AddCheckpointReply.OutcomeOneofCase.Refusal when Enum.TryParse<WitnessRefusal>(reply.Refusal, out var reason) => new WitnessOutcome.Refused(reason),
            _ => null,
        };
    }

    /// <summary>Fetches the newest checkpoint of the coordinator's ledger.</summary>
    /// <returns>Key, note and proof; <see langword="null"/> when the ledger is shorter than <paramref name="oldSize"/> or the proof is none.</returns>
    /// <exception cref="ConnectionLostException">The connection could not be made or broke.</exception>
    public async Task<(byte[] PublicKey, string Note, IReadOnlyList<MerkleHash> Proof)?> FetchCheckpointAsync(long oldSize, CancellationToken cancellationToken)
    {
        var request = new GetCheckpointRequest { OldSize = oldSize };
        var answer = await CoordinatorChannel.ConnectedAsync(
            async () => await _ledgers.GetCheckpointAsync(request, deadline: channel.Deadline, cancellationToken: cancellationToken), cancellationToken);
        if (answer.Checkpoint.Length == 0 || answer.Proof.Any(hash => hash.Length != MerkleHash.Length)) return null;
        return (answer.PublicKey.ToByteArray(), answer.Checkpoint, [.. answer.Proof.Select(hash => MerkleHash.FromBytes(hash.Span))]);
    }

    /// <summary>Gives the coordinator this site's cosignature of its checkpoint.</summary>
    /// <exception cref="ConnectionLostException">The connection could not be made or broke.</exception>
    public async Task GiveCosignedAsync(byte[] publicKey, SignedCheckpoint cosigned, CancellationToken cancellationToken)
    {
        var request = new AddCosignatureRequest { PublicKey = ByteString.CopyFrom(publicKey), Checkpoint = cosigned.Note };
        await CoordinatorChannel.ConnectedAsync(
            async () => await _ledgers.AddCosignatureAsync(request, deadline: channel.Deadline, cancellationToken: cancellationToken), cancellationToken);
    }
}

using System.Security.Cryptography.X509Certificates;
using FedSeg.Egress.Blind;
using FedSeg.Federation.Identity;
using FedSeg.Protocol.V1;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;
using Google.Protobuf;

namespace FedSeg.SiteAgent.Coordinator;

/// <summary>The coordinator as the server of blind exchanges. It is told nothing but what the egress gate cleared, and what it says is for
/// the site's own part of the protocol to
/// judge.</summary>
internal sealed class BlindPeer(CoordinatorChannel channel)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private readonly Blind.BlindClient _client = new(channel.Calls);

    /// <summary>What this site signs its keys with: its certificate. The key is the caller's to dispose.</summary>
    /// <exception cref="InvalidDataException">The certificate has no key of the right kind.</exception>
    public SiteCredential OpenCredential() => new(
        channel.Certificate.RawData,
        channel.Certificate.GetECDsaPrivateKey() ?? throw new InvalidDataException("The site's certificate needs an ECDSA key."));

    /// <summary>Sends a cleared message; the same one may be sent again.</summary>
    /// <returns>One word why it does not count; empty when it does.</returns>
    /// <exception cref="ConnectionLostException">The connection broke; send again.</exception>
    public async Task<string> SubmitAsync(ClearedStep step, CancellationToken cancellationToken)
    {
        var message = new BlindMessage
        {
            RunId = step.Run.ToString(),
            Round = step.Round,
            Stage = StageOf(step.Stage),
            Message = UnsafeByteOperations.UnsafeWrap(step.Message),
        };
        var receipt = await CoordinatorChannel.ConnectedAsync(
            async () => await _client.SubmitAsync(
                message, deadline: channel.Deadline, cancellationToken: cancellationToken), cancellationToken);
        return receipt.Refusal;
    }

    /// <summary>Asks what came of a stage; the coordinator waits a while before it says that it does not know yet.</summary>
    /// <returns>Its message, not yet believed, and whether the round goes on without this site.</returns>
    /// <exception cref="ConnectionLostException">The connection broke; ask again.</exception>
    public async Task<(byte[]? Message, bool Over)> NextAsync(RunId run, int round, SumStage stage, CancellationToken cancellationToken)
    {
        var query = new BlindQuery { RunId = run.ToString(), Round = round, Stage = StageOf(stage) };
        var reply = await CoordinatorChannel.ConnectedAsync(
            async () => await _client.NextAsync(
                query, deadline: channel.DeadlineIn(LongestWait), cancellationToken: cancellationToken), cancellationToken);
        return reply.OutcomeCase switch
        {
            BlindReply.OutcomeOneofCase.Message => (reply.Message.ToByteArray(), false),
            BlindReply.OutcomeOneofCase.Over => (null, true),
            _ => (null, false),
        };
    }

    private static BlindStage StageOf(SumStage stage) => stage switch
    {
        SumStage.Keys => BlindStage.Keys,
        SumStage.Shares => BlindStage.Shares,
        SumStage.Masked => BlindStage.Masked,
        SumStage.Confirmations => BlindStage.Confirmations,
        SumStage.Disclosures => BlindStage.Disclosures,
        _ => throw new ArgumentOutOfRangeException(nameof(stage), stage, "Nothing is said about this stage."),
    };
}

using FedSeg.Coordinator.Blind;
using FedSeg.Federation.Identity;
using FedSeg.Protocol.V1;
using FedSeg.SecureAggregation.Server;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;

namespace FedSeg.Coordinator.Grpc;

/// <summary>The sites' door to blind rounds.</summary>
[Authorize(MemberAuthentication.SitePolicy)]
internal sealed class BlindService(BlindRounds rounds, IHostApplicationLifetime lifetime) : Protocol.V1.Blind.BlindBase
{
    private const int MaximumMessageBytes = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public override Task<BlindReceipt> Submit(BlindMessage request, ServerCallContext context)
    {
        if (request.Message.Length > MaximumMessageBytes) throw new RpcException(
            new Status(StatusCode.InvalidArgument, "The message is too long."));
        try
        {
            var refusal = rounds.Accept(
                Site(context), Run(request.RunId), request.Round, Stage(request.Stage), request.Message.ToByteArray());
            return Task.FromResult(new BlindReceipt { Refusal = refusal ?? "" });
        }
        catch (IOException error)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, "The coordinator could not store the message; send it again later."), error.Message);
        }
    }

    public override async Task<BlindReply> Next(BlindQuery request, ServerCallContext context)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            var (message, over) = await rounds.NextAsync(
                Site(context), Run(request.RunId), request.Round, Stage(request.Stage), Patience, stopping.Token);
            if (message is not null) return new BlindReply { Message = ByteString.CopyFrom(message) };
            return over ? new BlindReply { Over =
                new BlindReply.Types.Over() } : new BlindReply { Pending = new BlindReply.Types.Pending() };
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator stops."));
        }
    }

    private static SumStage Stage(BlindStage stage) => stage switch
    {
        BlindStage.Keys => SumStage.Keys,
        BlindStage.Shares => SumStage.Shares,
        BlindStage.Masked => SumStage.Masked,
        BlindStage.Confirmations => SumStage.Confirmations,
        BlindStage.Disclosures => SumStage.Disclosures,
        _ => throw new RpcException(new Status(StatusCode.InvalidArgument, "The message names no stage.")),
    };

    private static RunId Run(string text) => RunId.TryParse(text, null, out var run)
        ? run
        : throw new RpcException(new Status(StatusCode.InvalidArgument, "The message names no run."));

    private static SiteId Site(ServerCallContext context) => SiteId.Parse(context.GetHttpContext().User.Identity!.Name!);
}

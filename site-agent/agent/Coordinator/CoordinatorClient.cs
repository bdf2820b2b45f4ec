using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Egress.Notices;
using FedSeg.Egress.Outbox;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Protocol.Transfer;
using FedSeg.Protocol.V1;
using FedSeg.SiteAgent.Coordinator.Pace;
using Google.Protobuf;
using Grpc.Core;

namespace FedSeg.SiteAgent.Coordinator;

/// <summary>
/// The agent's only way of work with the coordinator. It takes assignments and models in, and sends nothing but what the egress gate cleared: the signatures of
/// <see cref="SendAsync"/> and <see cref="TellAsync"/> leave no other way.
/// </summary>
internal sealed class CoordinatorClient(CoordinatorChannel channel, SitePace pace, TimeProvider time)
{
    private static readonly TimeSpan AttendanceSilence = TimeSpan.FromSeconds(60);

    private readonly Protocol.V1.Federation.FederationClient _client = new(channel.Calls);

    /// <summary>Attends: assignments as they come, until the connection ends. The coordinator speaks at least every 20 s, so silence means a dead line.</summary>
    /// <exception cref="ConnectionLostException">The connection could not be made or broke.</exception>
    /// <param name="labels">The labels this site declares.</param>
    /// <param name="trainerIsolated">Whether its trainer can be cut off from the network.</param>
    /// <param name="workingOn">Runs it still works on, to be told if they ended while it was away.</param>
    /// <param name="inHand">Rounds it works on or will go on with by itself.</param>
    /// <param name="cancellationToken">Ends the attendance.</param>
    public async IAsyncEnumerable<Assignment> AttendAsync(
        IEnumerable<string> labels,
        bool trainerIsolated,
        IEnumerable<RunId> workingOn,
        IEnumerable<(RunId Run, int Round)> inHand,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new AttendRequest
        {
            AgentVersion = typeof(CoordinatorClient).Assembly.GetName().Version!.ToString(3),
            Labels = { labels },
            TrainerIsolated = trainerIsolated,
            RunIds = { workingOn.Select(run => run.ToString()) },
            ClockMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            InHand = { inHand.Select(round => new RoundKey { RunId = round.Run.ToString(), Round = round.Round }) },
        };
        using var call = _client.Attend(request, cancellationToken: cancellationToken);
        while (await CoordinatorChannel.ConnectedAsync(() => MoveNextAsync(call.ResponseStream, cancellationToken), cancellationToken))
        {
            var message = call.ResponseStream.Current;
            if (message.Round is { } round) yield return new Assignment.Round(round.Plan.Memory, SignatureOf(round.Signature));
            if (message.Ended is { } ended && RunId.TryParse(ended.RunId, null, out var run)) yield return new Assignment.RunEnded(run);
        }
    }

    /// <summary>Fetches a model unless it is already there; goes on where an earlier attempt broke off.</summary>
    /// <param name="digest">The model.</param>
    /// <param name="length">Its declared length, bytes.</param>
    /// <param name="path">Where it goes once complete and proven by its digest.</param>
    /// <param name="cancellationToken">Leaves what has arrived for the next attempt.</param>
    /// <exception cref="ConnectionLostException">The connection broke; what has arrived is kept.</exception>
    /// <exception cref="InvalidDataException">The bytes are not the declared model.</exception>
    public async Task DownloadModelAsync(Sha256Digest digest, long length, string path, CancellationToken cancellationToken)
    {
        // It is a copy, which the disk was never asked to confirm: what a power cut left of it is fetched again.
        if (File.Exists(path) && !await IsWholeAsync(digest, path, cancellationToken)) File.Delete(path);
        while (!File.Exists(path))
        {
            await pace.WaitUntilOpenAsync(cancellationToken);
            await CoordinatorChannel.ConnectedAsync(() => DownloadAsync(digest, length, path, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Sends one cleared update, from the byte on that the coordinator does not have yet.</summary>
    /// <returns>The coordinator's answer.</returns>
    /// <exception cref="ConnectionLostException">The connection broke; send again.</exception>
    public async Task<UploadAnswer> SendAsync(ClearedUpdate update, CancellationToken cancellationToken)
    {
        while (true)
        {
            // A report without weights is small.
            if (update.PayloadBytes > 0) await pace.WaitUntilOpenAsync(cancellationToken);
            if (await TrySendAsync(update, cancellationToken) is { } answer) return answer;
        }
    }

    /// <summary>The same, for as long as these hours last.</summary>
    /// <returns>The coordinator's answer; none when the hours ended before it was all sent.</returns>
    /// <exception cref="ConnectionLostException">The connection broke; send again.</exception>
    public Task<UploadAnswer?> TrySendAsync(ClearedUpdate update, CancellationToken cancellationToken) =>
        CoordinatorChannel.ConnectedAsync(() => UploadAsync(update, cancellationToken), cancellationToken);

    /// <summary>Tells that nothing will come in a round, or not before a person has decided.</summary>
    /// <exception cref="ConnectionLostException">The connection broke; send again.</exception>
    public Task TellAsync(ClearedNotice notice, CancellationToken cancellationToken) => CoordinatorChannel.ConnectedAsync(
        async () => notice.Notice is { Run: var run, Round: var round, Reason: { } reason }
            ? await _client.DeclineAsync(new Notice { RunId = run.ToString(), Round = round, Reason = reason.ToString() }, deadline: channel.Deadline, cancellationToken: cancellationToken)
            : await _client.AwaitAsync(
                new ReviewNotice { RunId = notice.Notice.Run.ToString(), Round = notice.Notice.Round }, deadline: channel.Deadline, cancellationToken: cancellationToken),
        cancellationToken);

    /// <returns>Whether the model is here; not when the hours for transfers ended.</returns>
    private async Task<bool> DownloadAsync(Sha256Digest digest, long length, string path, CancellationToken cancellationToken)
    {
        var partial = path + ".part";
        using (var file = await IncomingFile.OpenAsync(partial, cancellationToken))
        {
            using var call = _client.DownloadModel(new DownloadRequest { Sha256 = digest.ToString(), Offset = file.Length }, cancellationToken: cancellationToken);
            // A line that brings a little now and then would be waited for all day; on a new one it goes on from here.
            var watch = new TransferWatch(TransferPace.Default, time);
            while (file.Length < length && await watch.NextAsync(call.ResponseStream.MoveNext(cancellationToken), cancellationToken))
            {
                var chunk = call.ResponseStream.Current;
                watch.Moved(chunk.Data.Length);
                if (!FileChunks.IsWhole(chunk)) throw new RpcException(new Status(StatusCode.DataLoss, "a piece of the model arrived damaged"));
                file.Append(chunk.Data.Span);
                if (file.Length != length && !await pace.MayReceiveAsync(chunk.Data.Length, cancellationToken)) return false;
            }

            if (file.Length != length || file.Digest != digest)
            {
                file.Clear();
                throw new InvalidDataException($"The model received is not {digest.Abbreviated} of {length} bytes.");
            }
        }

        File.Move(partial, path, overwrite: true);
        return true;
    }

    private static async Task<bool> IsWholeAsync(Sha256Digest digest, string path, CancellationToken cancellationToken)
    {
        using var file = await IncomingFile.OpenAsync(path, cancellationToken);
        return file.Digest == digest;
    }

    /// <returns>The answer; none when the hours for transfers ended.</returns>
    private async Task<UploadAnswer?> UploadAsync(ClearedUpdate update, CancellationToken cancellationToken)
    {
        var key = new UploadKey { RunId = update.Run.ToString(), Round = update.Round, Digest = update.Digest.ToString() };
        var stored = await _client.FindUploadAsync(key, deadline: channel.Deadline, cancellationToken: cancellationToken);
        var offset = Math.Clamp(stored.Offset, 0, update.PayloadBytes);

        using var signer = channel.Certificate.GetECDsaPrivateKey() ?? throw new InvalidDataException("The site's certificate needs an ECDSA key.");
        using var call = _client.Upload(cancellationToken: cancellationToken);
        var header = new UploadHeader
        {
            Key = key,
            Report = ByteString.CopyFrom(update.ReportBytes.Span),
            PayloadSha256 = update.PayloadSha256?.ToString() ?? "",
            PayloadBytes = update.PayloadBytes,
            Signature = ByteString.CopyFrom(signer.SignHash(update.Digest.ToBytes())),
            Offset = offset,
        };
        try
        {
            await OnTheLineAsync(() => call.RequestStream.WriteAsync(new UploadPart { Header = header }, cancellationToken));
            if (update.PayloadSha256 is not null)
            {
                await using var payload = update.OpenPayload();
                payload.Position = offset;
                await foreach (var chunk in FileChunks.ReadAsync(payload, cancellationToken))
                {
                    // Hanging up leaves at the coordinator what has arrived.
                    if (!await pace.MaySendAsync(chunk.Data.Length, cancellationToken)) return null;
                    await OnTheLineAsync(() => call.RequestStream.WriteAsync(new UploadPart { Chunk = chunk }, cancellationToken));
                }
            }

            await OnTheLineAsync(call.RequestStream.CompleteAsync);
        }
        catch (RpcException) when (call.ResponseAsync.IsCompletedSuccessfully)
        {
            // The coordinator answered before it had everything: its answer says why.
        }

        var receipt = await call.ResponseAsync;
        if (receipt.SendAgain)
        {
            throw new RpcException(new Status(StatusCode.Aborted, $"the coordinator asks for the update again ({receipt.Refusal})"));
        }

        return new UploadAnswer(receipt.Accepted, receipt.Refusal);
    }

    /// <summary>Of a request's stream gRPC hands the line's own exceptions on: without this a broken one would look like a full disk.</summary>
    private static async Task OnTheLineAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception error) when (error is IOException or HttpRequestException or ObjectDisposedException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, error.Message, error));
        }
    }

    private static Federation.Rounds.PlanSignature SignatureOf(Protocol.V1.PlanSignature? signature) => signature is null
        ? Federation.Rounds.PlanSignature.None
        : new Federation.Rounds.PlanSignature
        {
            Issued = MomentOf(signature.IssuedMs),
            Expires = MomentOf(signature.ExpiresMs),
            Certificate = signature.Certificate.Memory,
            Value = signature.Value.Memory,
        };

    /// <summary>Whatever number was told: a moment that nobody can have signed is as good as another.</summary>
    private static DateTimeOffset MomentOf(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

    private async Task<bool> MoveNextAsync<T>(IAsyncStreamReader<T> stream, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.MoveNext(cancellationToken).WaitAsync(AttendanceSilence, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator fell silent."));
        }
    }
}

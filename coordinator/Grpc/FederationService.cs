using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using FedSeg.Coordinator.Ledgers;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Faults;
using FedSeg.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Grpc;

/// <summary>The sites' door: turns calls into questions to the run book and the intake, and outcomes into messages.</summary>
[Authorize(MemberAuthentication.SitePolicy)]
internal sealed class FederationService(
    RunBook book,
    BlobStore blobs,
    UpdateIntake intake,
    SiteDirectory sites,
    SiteTurnBook turns,
    IOptions<CoordinatorOptions> options,
    IHostApplicationLifetime lifetime,
    CoordinatorTelemetry telemetry,
    CoordinatorLedger ledger,
    CertificateRenewals renewals,
    PlanSigning signing,
    Failpoints failpoints,
    TimeProvider time) : Protocol.V1.Federation.FederationBase
{
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(20);
    private const int MaximumLabels = 255, MaximumRuns = 64;

    public override async Task Attend(AttendRequest request, IServerStreamWriter<Assignment> responseStream, ServerCallContext context)
    {
        var site = Site(context);
        using var attendance = new Attendance(
            request.AgentVersion[..Math.Min(request.AgentVersion.Length, 40)],
            [.. request.Labels.Take(MaximumLabels).Where(label => label.Length is > 0 and <= 64)],
            request.TrainerIsolated)
        {
            Key = KeyFiles.Thumbprint(context.GetHttpContext().Connection.ClientCertificate!.PublicKey),
            ClockSkew = SkewOf(request.ClockMs),
            InHand = [.. InHand(request)],
        };
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping, attendance.Ended);
        var entrance = sites.Enter(site, attendance);
        if (entrance is Entrance.Refused or Entrance.RefusedAgain)
        {
            if (entrance == Entrance.Refused) await AlarmAsync(IdentityEvent.SecondSession, site, attendance);
            throw new RpcException(new Status(StatusCode.PermissionDenied, "The site attends already, with another key."));
        }

        if (attendance.HasWrongClock) telemetry.WrongClock();
        turns.Enter(site, attendance);
        try
        {
            if (entrance == Entrance.Contested) await AlarmAsync(IdentityEvent.SharedKey, site, attendance);
            await SendAssignmentsAsync(site, attendance, request.RunIds.Take(MaximumRuns), responseStream, stopping.Token);
        }
        catch (OperationCanceledException) when (attendance.Ended.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Aborted, "Another agent attends with this site's key now; run one only."));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The agent went away or this process stops: both end the stream, neither is a fault.
        }
        finally
        {
            sites.Leave(site, attendance);
            turns.Leave(site, attendance);
        }
    }

    public override async Task DownloadModel(DownloadRequest request, IServerStreamWriter<Chunk> responseStream, ServerCallContext context)
    {
        var digest = ParseDigest(request.Sha256);
        var site = Site(context);
        // A site may fetch only what a run it takes part in hands out.
        var offered = book.Runs.Any(run =>
            run.Job.Sites.Contains(site) && (run.Model.Sha256 == digest || run.Rounds.Any(round => round.Plan.BaseModel == digest || round.Plan.Control?.Sha256 == digest)));
        if (!offered) throw new RpcException(new Status(StatusCode.NotFound, "This model is not offered to the site."));
        failpoints.Hit(Failpoints.Before(RoundSteps.Publish));
        await ModelStream.SendAsync(blobs, digest, request.Offset, responseStream, options.Value.Pace, telemetry, time,
            context.CancellationToken);
        failpoints.Hit(Failpoints.After(RoundSteps.Publish));
    }

    public override Task<UploadOffset> FindUpload(UploadKey request, ServerCallContext context)
    {
        var digest = ParseDigest(request.Digest);
        var stored = RunId.TryParse(request.RunId, null, out var run) ? intake.StoredBytes(run, Site(context), digest) : 0;
        return Task.FromResult(new UploadOffset { Offset = stored });
    }

    public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
    {
        var parts = new UploadParts(requestStream, options.Value.Pace, time, context.CancellationToken);
        if (await parts.NextAsync() is not { KindCase: UploadPart.KindOneofCase.Header, Header: var header })
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "An upload begins with its header."));
        }

        if (header.Key is null || !RunId.TryParse(header.Key.RunId, null, out var run) || header.Report.Length > SiteReport.LargestBytes)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The upload's header is malformed."));
        }

        var announced = new UploadAnnouncement(
            Site(context),
            header.Report.ToByteArray(),
            header.PayloadSha256.Length == 0 ? null : ParseDigest(header.PayloadSha256),
            header.PayloadBytes,
            ParseDigest(header.Key.Digest),
            header.Signature.ToByteArray());
        using var key = context.GetHttpContext().Connection.ClientCertificate!.GetECDsaPublicKey()
            ?? throw new RpcException(new Status(StatusCode.PermissionDenied, "The site's certificate has no ECDSA key."));
        // It may come before the site attends: what an earlier start left is sent first.
        using var here = sites.Sends(announced.Site);
        try
        {
            var outcome = await intake.ReceiveAsync(announced, key, run, header.Offset, parts.ChunksAsync(), context.CancellationToken);
            if (outcome == UploadOutcome.Accepted) MarkAcknowledgement(context.GetHttpContext());
            return new UploadReceipt
            {
                Accepted = outcome == UploadOutcome.Accepted,
                Refusal = outcome == UploadOutcome.Accepted ? "" : outcome.ToString(),
                SendAgain = outcome is UploadOutcome.BytesDamaged or UploadOutcome.Incomplete or UploadOutcome.WrongOffset,
            };
        }
        catch (IOException error)
        {
            const string advice = "The coordinator could not store the update; it keeps what it has and the upload may go on later.";
            throw new RpcException(new Status(StatusCode.ResourceExhausted, advice), error.Message);
        }
    }

    public override Task<NoticeReceipt> Decline(Notice request, ServerCallContext context)
    {
        var site = Site(context);
        if (!RunId.TryParse(request.RunId, null, out var run)
            || book.Find(run) is null
            || !Enum.TryParse<DropReason>(request.Reason, out var reason)
            || !Enum.IsDefined(reason))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The notice names no known run and reason."));
        }

        book.Step(run, new RunInput.Declined(site, request.Round, reason), time.GetUtcNow());
        return Task.FromResult(new NoticeReceipt());
    }

    public override Task<NoticeReceipt> Await(ReviewNotice request, ServerCallContext context)
    {
        if (!RunId.TryParse(request.RunId, null, out var run) || book.Find(run) is null)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The notice names no known run."));
        }

        book.Step(run, new RunInput.AwaitsReview(Site(context), request.Round), time.GetUtcNow());
        return Task.FromResult(new NoticeReceipt());
    }

    public override async Task<RenewalReply> RenewCertificate(RenewalRequest request, ServerCallContext context) =>
        await renewals.RenewAsync(context.GetHttpContext().Connection.ClientCertificate!) switch
        {
            CertificateRenewal.Renewed renewed => new RenewalReply { Certificate = renewed.Certificate, Issuer = renewed.Issuer },
            CertificateRenewal.Refused refused => new RenewalReply { Refusal = refused.Reason.ToString() },
            var other => throw new InvalidOperationException($"An authority does not answer {other.GetType().Name}."),
        };

    /// <summary>Says what is to be done now, again after every change, and nothing twice on one connection but a plan whose signature has half of its life behind it.</summary>
    private async Task SendAssignmentsAsync(
        SiteId site, Attendance attendance, IEnumerable<string> workingOn, IServerStreamWriter<Assignment> stream, CancellationToken cancellationToken)
    {
        // The last round of each run that goes on, and when it is to be handed out again.
        var sent = new Dictionary<RunId, (int Round, DateTimeOffset Again)>();
        var working = new HashSet<RunId>();
        foreach (var text in workingOn)
        {
            if (RunId.TryParse(text, null, out var run)) working.Add(run);
        }

        // A journal that was restored from a backup knows nothing of the newest runs, and nobody else would ever release the site from them.
        foreach (var run in working.Where(run => book.Find(run)?.Job.Sites.Contains(site) != true).ToList())
        {
            working.Remove(run);
            await stream.WriteAsync(Ended(run), cancellationToken);
        }

        bool IsHandedOut(RunState run) => run.OpenRound is not { Plan.Round: var round }
            || attendance.InHand.Contains((run.Id, round))
            || (sent.TryGetValue(run.Id, out var last) && last.Round == round);

        while (true)
        {
            var change = book.NextChange;
            var inWork = turns.Look(site).InWork;
            var isTurnFree = false;
            foreach (var run in book.Runs.Where(run => run.Job.Sites.Contains(site)))
            {
                var asked = new RunInput.Asked(site, working.Contains(run.Id), inWork.Any(work => work.Run == run.Id));
                foreach (var effect in book.Step(run.Id, asked, time.GetUtcNow()).Effects)
                {
                    if (Message(effect, run, site, sent, working) is not { } assignment) continue;
                    failpoints.Hit(Failpoints.Before(RoundSteps.Select));
                    await stream.WriteAsync(assignment, cancellationToken);
                    failpoints.Hit(Failpoints.After(RoundSteps.Select));
                }

                // Paused since the turn was given: it would keep the site from all others.
                if (asked.HasTurn && book.Find(run.Id)!.Pause is not null && !IsHandedOut(run))
                {
                    turns.GiveBack(site, run.Id);
                    isTurnFree = true;
                }
            }

            if (isTurnFree) continue;
            try
            {
                await change.WaitAsync(IdleInterval, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                await stream.WriteAsync(new Assignment { Idle = new Idle() }, cancellationToken);
            }
        }
    }

    private async Task AlarmAsync(IdentityEvent alarm, SiteId site, Attendance attendance)
    {
        await ledger.NoteIdentityAsync(alarm, site.ToString(), new KeyValuePair<string, string>("key", attendance.Key));
        telemetry.Alarm(alarm);
    }

    /// <summary>Whatever number was told: a clock cannot be further away than 3000 years.</summary>
    private TimeSpan SkewOf(long clockMs) =>
        clockMs == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Clamp((double)clockMs - time.GetUtcNow().ToUnixTimeMilliseconds(), -1e14, 1e14));

    private static IEnumerable<(RunId Run, int Round)> InHand(AttendRequest request)
    {
        foreach (var key in request.InHand.Take(MaximumRuns))
        {
            if (RunId.TryParse(key.RunId, null, out var run)) yield return (run, key.Round);
        }
    }

    private void MarkAcknowledgement(HttpContext context)
    {
        failpoints.Hit(Failpoints.Before(RoundSteps.Acknowledge));
        context.Response.OnCompleted(() =>
        {
            failpoints.Hit(Failpoints.After(RoundSteps.Acknowledge));
            return Task.CompletedTask;
        });
    }

    private Assignment? Message(RunEffect effect, RunState run, SiteId site, Dictionary<RunId, (int Round, DateTimeOffset Again)> sent, HashSet<RunId> working)
    {
        switch (effect)
        {
            case RunEffect.Release:
                working.Remove(run.Id);
                sent.Remove(run.Id);
                return Ended(run.Id);
            case RunEffect.Assign { Plan: var plan } when !sent.TryGetValue(run.Id, out var last) || last.Round != plan.Round || last.Again <= time.GetUtcNow():
                working.Add(run.Id);
                var signature = signing.Sign(plan, run.Job, site);
                sent[run.Id] = (plan.Round, signature.HalfLife);
                return new Assignment { Round = new PlannedRound { Plan = ByteString.CopyFrom(plan.ToBytes()), Signature = MessageOf(signature) } };
            default:
                return null;
        }
    }

    private static Protocol.V1.PlanSignature MessageOf(Federation.Rounds.PlanSignature signature) => new()
    {
        IssuedMs = signature.Issued.ToUnixTimeMilliseconds(),
        ExpiresMs = signature.Expires.ToUnixTimeMilliseconds(),
        Certificate = ByteString.CopyFrom(signature.Certificate.Span),
        Value = ByteString.CopyFrom(signature.Value.Span),
    };

    private static Assignment Ended(RunId run) => new() { Ended = new EndedRun { RunId = run.ToString() } };

    private static SiteId Site(ServerCallContext context) => SiteId.Parse(context.GetHttpContext().User.Identity!.Name!);

    private static Sha256Digest ParseDigest(string text) =>
        Sha256Digest.TryParse(text, null, out var digest)
            ? digest
            : throw new RpcException(new Status(StatusCode.InvalidArgument, "A SHA-256 digest has 64 lower-case hexadecimal digits."));
}

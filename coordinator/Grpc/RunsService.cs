using System.Collections.Immutable;
using FedSeg.Coordinator.Jobs;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.People;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Yaml;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Grpc;

/// <summary>
/// The people's door: jobs in, runs and models out. A policy asks whether somebody has a right at all; here it is asked again in the study of the run. What belongs to
/// a study that they have no role in is not there for them.
/// </summary>
[Authorize(nameof(RunRight.Look))]
internal sealed class RunsService(
    RunBook book,
    SiteTurnBook turns,
    BlobStore blobs,
    JobCatalog jobs,
    IOptions<CoordinatorOptions> options,
    IHostApplicationLifetime lifetime,
    CoordinatorTelemetry telemetry,
    TimeProvider time) : Protocol.V1.Runs.RunsBase
{
    [Authorize(nameof(RunRight.Start))]
    public override Task<JobVerdict> Validate(JobFile request, ServerCallContext context)
    {
        return Task.FromResult(RunMessages.Verdict(Check(request, context).Problems));
    }

    [Authorize(nameof(RunRight.Start))]
    public override Task<JobVerdict> Submit(JobFile request, ServerCallContext context)
    {
        var (job, problems) = Check(request, context);
        var verdict = RunMessages.Verdict(problems);
        try
        {
            if (job is not null) verdict.RunId = jobs.Submit(job, NameOf(context)).ToString();
            return Task.FromResult(verdict);
        }
        catch (IOException error)
        {
            const string advice = "it could not store the run; its operator must make room in the data folder. Nothing was started";
            throw new RpcException(new Status(StatusCode.ResourceExhausted, advice), error.Message);
        }
    }

    public override Task<RunList> List(ListRunsRequest request, ServerCallContext context) =>
        Task.FromResult(new RunList { Runs = { Runs(RunRight.Look, context).Select(run => Describe(run, context)) } });

    public override Task<Run> Show(RunKey request, ServerCallContext context) =>
        Task.FromResult(Describe(Find(request, RunRight.Look, context), context));

    public override async Task Watch(RunKey request, IServerStreamWriter<Run> responseStream, ServerCallContext context)
    {
        var run = Find(request, RunRight.Look, context).Id;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await foreach (var state in book.WatchAsync(run, stopping.Token))
            {
                await responseStream.WriteAsync(Describe(state, context), stopping.Token);
            }
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The watcher went away.
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator is stopping."));
        }
    }

    [Authorize(nameof(RunRight.Steer))]
    public override Task<Run> Pause(RunKey request, ServerCallContext context) =>
        Task.FromResult(Describe(jobs.Pause(Find(request, RunRight.Steer, context).Id, NameOf(context)), context));

    [Authorize(nameof(RunRight.Steer))]
    public override Task<Run> Resume(RunKey request, ServerCallContext context) =>
        Task.FromResult(Describe(jobs.Resume(Find(request, RunRight.Steer, context).Id, NameOf(context)), context));

    [Authorize(nameof(RunRight.Steer))]
    public override Task<Run> Cancel(RunKey request, ServerCallContext context) =>
        Task.FromResult(Describe(jobs.Cancel(Find(request, RunRight.Steer, context).Id, NameOf(context)), context));

    public override Task<ModelList> ListModels(ListModelsRequest request, ServerCallContext context) =>
        Task.FromResult(new ModelList { Models = { Runs(RunRight.Look, context).SelectMany(RunMessages.Models) } });

    [Authorize(nameof(RunRight.TakeModels))]
    public override Task DownloadModel(DownloadRequest request, IServerStreamWriter<Chunk> responseStream, ServerCallContext context)
    {
        // Global models only: an update of a single site has the same kind of file, and is nobody's to fetch.
        if (!Sha256Digest.TryParse(request.Sha256, null, out var digest)
            || !Runs(RunRight.TakeModels, context).SelectMany(RunMessages.Models).Any(model => model.Sha256 == digest.ToString()))
        {
            throw new RpcException(new Status(StatusCode.NotFound, "There is no such model; 'fedseg model list' shows those there are."));
        }

        return ModelStream.SendAsync(blobs, digest, request.Offset, responseStream, options.Value.Pace, telemetry, time,
            context.CancellationToken);
    }

    /// <summary>The runs of all studies in which the caller has this right.</summary>
    private IEnumerable<RunState> Runs(RunRight right, ServerCallContext context) =>
        book.Runs.Where(run => context.GetHttpContext().User.Has(right, run.Job.Study));

    /// <summary>The run as this caller may see it: of the runs before it in a queue only those of studies they have a role in have names.</summary>
    private Run Describe(RunState state, ServerCallContext context)
    {
        var person = context.GetHttpContext().User;
        return RunMessages.Of(state, turns.Places(state), other => book.Find(other) is { } run && person.Has(RunRight.Look, run.Job.Study));
    }

    private RunState Find(RunKey key, RunRight right, ServerCallContext context)
    {
        var person = context.GetHttpContext().User;
        if (!RunId.TryParse(key.RunId, null, out var id) || book.Find(id) is not { } run || !person.Has(RunRight.Look, run.Job.Study))
        {
            throw new RpcException(new Status(StatusCode.NotFound, "There is no such run; 'fedseg job list' shows those there are."));
        }

        return person.Has(right, run.Job.Study) ? run : throw new RpcException(new Status(StatusCode.PermissionDenied, "Your role in this run's study does not allow it."));
    }

    /// <summary>The job when nothing is wrong with it, and what is. Nothing is told of a study before it is asked whether the caller may start runs in it.</summary>
    private (JobSpec? Job, ImmutableArray<YamlProblem> Problems) Check(JobFile file, ServerCallContext context)
    {
        switch (JobSpecReader.Read(file.Yaml))
        {
            case JobSpecResult.Invalid invalid:
                return (null, invalid.Problems);
            case JobSpecResult.Valid { Job: var job }:
                CheckStudy(job, context);
                var problems = jobs.Problems(job);
                return (problems.IsEmpty ? job : null, problems);
            default:
                throw new InvalidOperationException("A job is either valid or invalid.");
        }
    }

    private static void CheckStudy(JobSpec job, ServerCallContext context)
    {
        if (context.GetHttpContext().User.Has(RunRight.Start, job.Study)) return;
        throw new RpcException(new Status(StatusCode.PermissionDenied, job.Study is { } study
            ? $"You have no role in the study '{study}' that may start runs."
            : "The job names no study ('study: NAME'); only who may start runs in every study may leave it out."));
    }

    private static string NameOf(ServerCallContext context) => context.GetHttpContext().User.Identity!.Name!;
}

using FedSeg.Coordinator.Jobs;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Operations;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Protocol.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Grpc;

/// <summary>The people's door: jobs in, runs and models out.</summary>
[Authorize(MemberAuthentication.ReaderPolicy)]
internal sealed class RunsService(
    RunBook book,
    BlobStore blobs,
    JobCatalog jobs,
    IOptions<CoordinatorOptions> options,
    IHostApplicationLifetime lifetime,
    CoordinatorTelemetry telemetry,
    TimeProvider time) : Runs.RunsBase
{
    public override Task<JobVerdict> Validate(JobFile request, ServerCallContext context)
    {
        var (_, problems) = jobs.Validate(request.Yaml);
        return Task.FromResult(RunMessages.Verdict(problems));
    }

    [Authorize(MemberAuthentication.DataScientistPolicy)]
    public override Task<JobVerdict> Submit(JobFile request, ServerCallContext context)
    {
        var (job, problems) = jobs.Validate(request.Yaml);
        var verdict = RunMessages.Verdict(problems);
        try
        {
            if (job is not null) verdict.RunId = jobs.Submit(job, Person(context)).ToString();
            return Task.FromResult(verdict);
        }
        catch (IOException error)
        {
            const string advice = "it could not store the run; its operator must make room in the data folder. Nothing was started";
            throw new RpcException(new Status(StatusCode.ResourceExhausted, advice), error.Message);
        }
    }

    public override Task<RunList> List(ListRunsRequest request, ServerCallContext context) =>
        Task.FromResult(new RunList { Runs = { book.Runs.Select(RunMessages.Of) } });

    public override Task<Run> Show(RunKey request, ServerCallContext context) =>
        Task.FromResult(RunMessages.Of(book.Find(ParseRun(request))!));

    public override async Task Watch(RunKey request, IServerStreamWriter<Run> responseStream, ServerCallContext context)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await foreach (var state in book.WatchAsync(ParseRun(request), stopping.Token))
            {
                await responseStream.WriteAsync(RunMessages.Of(state), stopping.Token);
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

    [Authorize(MemberAuthentication.DataScientistPolicy)]
    public override Task<Run> Pause(RunKey request, ServerCallContext context) =>
        Task.FromResult(RunMessages.Of(jobs.Pause(ParseRun(request), Person(context))));

    [Authorize(MemberAuthentication.DataScientistPolicy)]
    public override Task<Run> Resume(RunKey request, ServerCallContext context) =>
        Task.FromResult(RunMessages.Of(jobs.Resume(ParseRun(request), Person(context))));

    [Authorize(MemberAuthentication.DataScientistPolicy)]
    public override Task<Run> Cancel(RunKey request, ServerCallContext context) =>
        Task.FromResult(RunMessages.Of(jobs.Cancel(ParseRun(request), Person(context))));

    public override Task<ModelList> ListModels(ListModelsRequest request, ServerCallContext context) =>
        Task.FromResult(new ModelList { Models = { book.Runs.SelectMany(RunMessages.Models) } });

    public override Task DownloadModel(DownloadRequest request, IServerStreamWriter<Chunk> responseStream, ServerCallContext context)
    {
        // Global models only: an update of a single site has the same kind of file, and is nobody's to fetch.
        if (!Sha256Digest.TryParse(request.Sha256, null, out var digest)
            || !book.Runs.SelectMany(RunMessages.Models).Any(model => model.Sha256 == digest.ToString()))
        {
            throw new RpcException(new Status(StatusCode.NotFound, "There is no such model; 'fedseg model list' shows those there are."));
        }

        return ModelStream.SendAsync(blobs.PathOf(digest), request.Offset, responseStream, options.Value.Pace, telemetry, time, context.CancellationToken);
    }

    private RunId ParseRun(RunKey key) =>
        RunId.TryParse(key.RunId, null, out var run) && book.Find(run) is not null
            ? run
            : throw new RpcException(new Status(StatusCode.NotFound, "There is no such run; 'fedseg job list' shows those there are."));

    private static string Person(ServerCallContext context) => context.GetHttpContext().User.Identity!.Name!;
}

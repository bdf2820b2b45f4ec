using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Coordinator.Models;
using FedSeg.Coordinator.Rounds;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Yaml;
using FedSeg.Hosting.Certificates;

namespace FedSeg.Coordinator.Jobs;

/// <summary>Where jobs come in: checked against themselves and against the federation, then entered as runs.</summary>
internal sealed partial class JobCatalog(
    RunBook book, BlobStore blobs, MemberRegister register, SiteDirectory sites, StudyCharters charters, TimeProvider time, ILogger<JobCatalog> logger)
{
    private readonly Lock _gate = new();

    /// <summary>Everything that keeps a job from running in this federation.</summary>
    public ImmutableArray<YamlProblem> Problems(JobSpec job) =>
        [.. UnknownSites(job), .. UnknownLabels(job), .. charters.Problems(job).Select(problem => new YamlProblem(0, "study: " + problem))];

    /// <summary>Enters a valid job as a run; durable when this returns.</summary>
    /// <returns>The run's id.</returns>
    public RunId Submit(JobSpec job, string submittedBy)
    {
        lock (_gate)
        {
            var run = NextId(job);
            var model = job.Planning is null ? GlobalModel.CreateInitial(blobs, run, job) : ModelRef.None;
            book.Create(run, new RunEvent.Created { At = time.GetUtcNow(), Job = job, SubmittedBy = submittedBy, InitialModel = model });
            LogSubmitted(run, submittedBy, job.Sites.Length, job.Rounds);
            return run;
        }
    }

    /// <summary>Pauses a run: what is under way at the sites may still be delivered and counts, nothing new is asked, and no deadline runs.</summary>
    public RunState Pause(RunId run, string by) => Tell(run, new RunInput.Paused(by));

    /// <summary>Lets a paused run go on; the open round has its whole deadline again.</summary>
    public RunState Resume(RunId run, string by) => Tell(run, new RunInput.Unpaused(by));

    /// <summary>Ends a run at once; nothing happens when it has ended already.</summary>
    public RunState Cancel(RunId run, string by) => Tell(run, new RunInput.Cancelled(by));

    private RunState Tell(RunId run, RunInput input)
    {
        book.Step(run, input, time.GetUtcNow());
        return book.Find(run)!;
    }

    /// <summary>
    /// The job's name, the first digits of its content's digest, and how often it ran before: no chance is involved, so the same jobs in
    /// the same order give the same ids, plans and model hashes at any coordinator.
    /// </summary>
    private RunId NextId(JobSpec job)
    {
        var content = Sha256Digest.Of(JsonSerializer.SerializeToUtf8Bytes(job, FederationJson.Options)).Abbreviated[..8];
        var prefix = $"run-{job.Name[..Math.Min(job.Name.Length, 24)].TrimEnd('-')}-{content}-";
        return RunId.Parse(prefix + (1 + book.Runs.Count(run => run.Id.ToString().StartsWith(prefix, StringComparison.Ordinal))));
    }

    private IEnumerable<YamlProblem> UnknownSites(JobSpec job)
    {
        var members = register.Current;
        var unknown = job.Sites.Where(site => !members.HasSite(site.ToString())).ToList();
        if (unknown.Count == 0) return [];
        var enrolled = members.Members.Where(entry => entry.Kind == MemberKind.Site && !entry.Revoked);
        var known = string.Join(", ", enrolled.Select(entry => entry.Name).Distinct());
        return unknown.Select(site => new YamlProblem(0, $"sites: '{site}' is not a site of this federation; known are: {known}"));
    }

    /// <summary>A label that an attending site's operator did not declare. A site that is away is asked by its trainer later.</summary>
    private IEnumerable<YamlProblem> UnknownLabels(JobSpec job) =>
        from site in job.Sites
        let attendance = sites.Find(site)
        where attendance is not null
        from label in job.Labels
        where !attendance.Labels.Contains(label, StringComparer.OrdinalIgnoreCase)
        where !job.Recipe.PartialLabels || !job.Labels.Intersect(attendance.Labels, StringComparer.OrdinalIgnoreCase).Any()
        select new YamlProblem(0, $"labels: '{label}' is not a label of site '{site}'; it declares: {string.Join(", ", attendance.Labels)}");

    [LoggerMessage(301, LogLevel.Information, "{Person} submitted {Run}: {Sites} sites, {Rounds} rounds")]
    private partial void LogSubmitted(RunId run, string person, int sites, int rounds);
}

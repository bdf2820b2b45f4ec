using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Scheduling;

/// <summary>An open round that waits for a site's answer.</summary>
/// <param name="Run">The run.</param>
/// <param name="Round">Its open round.</param>
/// <param name="Share">Whose share of the site's time it takes: a study's, or without one that of all jobs of its name.</param>
/// <param name="Priority">How large that share is.</param>
/// <param name="OpenedAt">When the round opened; the older goes first within a study.</param>
/// <param name="IsBlind">Whether its sites have to meet in an exchange.</param>
/// <param name="CanBegin">Whether it is not behind another blind round.</param>
/// <param name="IsPaused">Whether a person paused the run: what is under way goes on, and nothing begins or waits.</param>
public sealed record SiteDemand(
    RunId Run, int Round, string Share, JobPriority Priority, DateTimeOffset OpenedAt, bool IsBlind, bool CanBegin, bool IsPaused)
{
    /// <summary>What all runs want of a site, a round that waits for a person of the site not among them.</summary>
    /// <remarks>
    /// In a blind round a site waits for the others. Two that share sites could each hold one and wait for the other, so they go one after the other, in the order in which
    /// they opened; a paused one keeps nobody behind it.
    /// </remarks>
    public static ImmutableArray<SiteDemand> Of(IEnumerable<RunState> runs, SiteId site)
    {
        var open = runs.Where(run => run.OpenRound is not null).ToList();
        var blind = open.Where(run => run.OpenRound!.Plan.MasksUpdates && run.Pause is null).OrderBy(run => run.OpenRound!.OpenedAt).ThenBy(run => run.Id.ToString(), StringComparer.Ordinal).ToList();
        return
        [
            .. from run in open
               let round = run.OpenRound
               where run.Job.Sites.Contains(site) && !round.Answered(site) && !round.WaitingForPeople(site)
               let isBehind = round.Plan.MasksUpdates && blind.TakeWhile(other => other != run).Any(other => other.Job.Sites.Intersect(run.Job.Sites).Any())
               select new SiteDemand(
                   run.Id, round.Plan.Round, run.Job.Share, run.Job.Priority, round.OpenedAt, round.Plan.MasksUpdates, !isBehind, run.Pause is not null),
        ];
    }
}

using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>When a round has enough answers, whom it still waits for, and until when.</summary>
internal static class RoundRules
{
    /// <summary>
    /// How long a site is waited for that was silent in the round before and does not attend: an agent is back within it after a short loss of its line. So a dead site
    /// costs its run one deadline, not one a round, and is welcome again whenever it comes back.
    /// </summary>
    public static readonly TimeSpan AbsencePatience = TimeSpan.FromSeconds(90);

    /// <summary>What the collected answers mean for the round.</summary>
    /// <param name="job">What was asked.</param>
    /// <param name="round">The open round.</param>
    /// <param name="before">The round before it.</param>
    /// <param name="seen">How long it has been waited for, and for whom.</param>
    public static RoundVerdict Judge(Jobs.JobSpec job, RoundState round, RoundState? before, RunInput.Continued seen)
    {
        var pending = job.Sites.Where(site => !round.Answered(site)).ToList();
        var enough = Shortfall(job, round) is null;
        if (pending.Count == 0) return enough ? RoundVerdict.Close : RoundVerdict.QuorumLost;
        if (round.Accepted.Count + pending.Count < job.Quorum || RequiredOf(job, round).Any(round.Dropped.ContainsKey)) return RoundVerdict.QuorumLost;

        var deadline = job.LongestWaitFor(round.Plan);
        bool IsAbsent(SiteId site) => before is not null && !before.Answered(site) && !seen.Attending.Contains(site);
        if (enough && pending.All(site => seen.WaitedFor(site) >= (IsAbsent(site) && AbsencePatience < deadline ? AbsencePatience : deadline))) return RoundVerdict.Close;
        var last = deadline + TimeSpan.FromMinutes(job.GraceMinutes);
        return pending.All(site => seen.WaitedFor(site) >= last) ? RoundVerdict.QuorumLost : RoundVerdict.Wait;
    }

    /// <summary>When a waiting round is to be judged again if nothing changes: the next of the moments that matter.</summary>
    public static TimeSpan NextLook(Jobs.JobSpec job, RoundState round, RunInput.Continued seen)
    {
        var deadline = job.LongestWaitFor(round.Plan);
        TimeSpan[] moments = [AbsencePatience, deadline, deadline + TimeSpan.FromMinutes(job.GraceMinutes)];
        var left =
            from site in job.Sites
            where !round.Answered(site)
            from moment in moments
            where moment > seen.WaitedFor(site)
            select moment - seen.WaitedFor(site);
        return seen.OpenFor + left.DefaultIfEmpty(TimeSpan.Zero).Min();
    }

    /// <summary>What the accepted answers lack; <see langword="null"/> when they are enough.</summary>
    public static string? Shortfall(Jobs.JobSpec job, RoundState round)
    {
        if (round.Accepted.Count < job.Quorum) return $"{round.Accepted.Count} of the {job.Quorum} updates it needs";
        var missing = RequiredOf(job, round).Where(site => !round.Accepted.ContainsKey(site)).ToList();
        if (missing.Count > 0) return $"no update of {string.Join(", ", missing)}, without which it must not close";
        var cases = round.Accepted.Values.Sum(accepted => (long)accepted.Report.TrainingCases);
        return round.Plan.Task == RoundTask.Train && cases < job.MinimumCasesPerRound
            ? $"{cases} of the {job.MinimumCasesPerRound} training cases it needs"
            : null;
    }

    /// <summary>The closing evaluation changes no model, so it needs nobody in particular.</summary>
    private static ImmutableArray<SiteId> RequiredOf(Jobs.JobSpec job, RoundState round) =>
        round.Plan.Task == RoundTask.Evaluate ? [] : job.RequiredSites;
}

using System.Collections.Concurrent;
using FedSeg.Coordinator.Rounds;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;
using FedSeg.Federation.Rounds;
using FedSeg.Hosting.Certificates;
using FedSeg.SecureAggregation;
using FedSeg.SecureAggregation.Server;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator.Blind;

/// <summary>
/// The blind rounds that are open: takes the sites' messages, moves each round from stage to stage, and drops from the run whoever keeps a
/// stage waiting too long, so that
/// the run itself goes on as with any other round.
/// </summary>
internal sealed partial class BlindRounds(
    RunBook book, SiteTurnBook turns, IOptions<CoordinatorOptions> options, FederationTrust trust, TimeProvider time, ILogger<BlindRounds> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<(RunId Run, int Round), BlindRound> _open = [];

    /// <summary>
    /// Members' certificates are checked against the authorities that count; whether one was revoked, the call that brought the message has checked.
    /// </summary>
    private readonly SiteKeyCheck _check = (site, certificate) => SiteCertificates.FindKey(certificate, site.ToString(), trust.Roots);

    /// <summary>Takes a site's message; durable when it counts.</summary>
    /// <returns>One word why it does not; <see langword="null"/> when it does.</returns>
    /// <exception cref="IOException">The disk refused; to be sent again.</exception>
    public string? Accept(SiteId site, RunId run, int round, SumStage stage, byte[] message)
    {
        if (Open(run, round) is not { } blind) return nameof(UploadOutcome.RoundNotOpen);
        try
        {
            var refusal = blind.Accept(stage, site, message, () => book.Find(run)?.OpenRound?.Dropped.ContainsKey(site) != false);
            if (refusal is { } reason) LogRefused(site, run, round, stage, reason);
            return refusal?.ToString();
        }
        catch
        {
            // What it holds and what is on the disk differ now; the next one reads the disk.
            _open.TryRemove(KeyValuePair.Create((run, round), blind));
            blind.GiveWay();
            throw;
        }
    }

    /// <summary>What a site is told after a stage: a message, nothing yet, or that the round goes on without it.</summary>
    public async Task<(byte[]? Message, bool Over)> NextAsync(
        SiteId site, RunId run, int round, SumStage stage, TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (Open(run, round) is not { } blind) return (null, true);
            var change = Task.WhenAny(blind.NextChange, book.NextChange);
            var (message, isOver) = blind.MessageAfter(stage, site);
            if (message is not null) return (message, false);
            if (isOver || book.Find(run)?.OpenRound is not { } open || open.Dropped.ContainsKey(site)) return (null, true);
            var left = patience - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return (null, false);
            await WaitAsync(change, left, cancellationToken);
        }
    }

    /// <summary>Whether a masked update of the site may come now: before the shares are dealt it could not be unmasked.</summary>
    public bool AwaitsUpdate(SiteId site, RoundPlan plan) => Open(plan.Run, plan.Round)?.AwaitsUpdateOf(site) == true;

    /// <summary>Drops whoever has not answered a round that is to be merged.</summary>
    /// <returns>Whether there was somebody.</returns>
    public bool DropSilent(RoundPlan plan)
    {
        if (book.Find(plan.Run)?.OpenRound is not { } round || round.Plan.Round != plan.Round) return false;
        var silent = plan.Blind!.Sites.Where(site => !round.Answered(site)).ToList();
        silent.ForEach(site => Drop(plan, site));
        return silent.Count > 0;
    }

    /// <summary>Waits until the sum of a round's masked updates can be unmasked; every site must have answered or be dropped.</summary>
    /// <returns>Why it can't be; <see langword="null"/> when it can.</returns>
    public async Task<string?> UnmaskAsync(RoundPlan plan, CancellationToken cancellationToken)
    {
        while (Open(plan.Run, plan.Round) is { } blind)
        {
            var change = Task.WhenAny(blind.NextChange, book.NextChange);
            if (blind.Stage == SumStage.Done)
            {
                return blind.Failure is { } failure ? $"the sum of the masked updates can't be unmasked ({failure})" : null;
            }

            await change.WaitAsync(cancellationToken);
        }

        return "the round is no longer open";
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var driven = new Dictionary<(RunId Run, int Round), Task>();
        while (true)
        {
            var change = book.NextChange;
            foreach (var run in book.Runs)
            {
                if (run.OpenRound is not { Plan: { MasksUpdates: true } plan } || driven.ContainsKey((plan.Run, plan.Round))) continue;
                driven.Add((plan.Run, plan.Round), DriveAsync(run, plan, stoppingToken));
            }

            foreach (var (round, task) in driven.Where(entry => entry.Value.IsCompleted).ToList())
            {
                await task;
                driven.Remove(round);
                _open.TryRemove(round, out _);
            }

            await Task.WhenAny([change.WaitAsync(stoppingToken), .. driven.Values]);
            stoppingToken.ThrowIfCancellationRequested();
        }
    }

    private async Task DriveAsync(RunState run, RoundPlan plan, CancellationToken cancellationToken)
    {
        var (stage, started) = (SumStage.Keys, time.GetTimestamp());
        while (true)
        {
            try
            {
                if (Open(plan.Run, plan.Round) is not { } blind || book.Find(plan.Run)?.OpenRound is not { } round || round.Plan.Round != plan.Round) return;
                var change = Task.WhenAny(blind.NextChange, book.NextChange);
                // While the run is paused nobody is late.
                if (blind.Stage != stage || book.Find(plan.Run)!.Pause is not null) (stage, started) = (blind.Stage, time.GetTimestamp());
                var patience = stage == SumStage.Keys ? PatienceForKeys(run.Job, blind) : TimeSpan.FromMinutes(run.Job.Blind!.StepMinutes);
                // Who works for another run is busy, not late.
                if (stage == SumStage.Keys) patience += turns.HeldUp(book.Find(plan.Run)!).Where(site => !round.Answered(site.Key)).Select(site => site.Value).DefaultIfEmpty().Max();
                var left = patience - time.GetElapsedTime(started);
                foreach (var site in blind.Advance(round, left <= TimeSpan.Zero))
                {
                    Drop(plan, site);
                    LogLate(site, plan.Run, plan.Round, stage);
                }

                if (blind.Stage != stage)
                {
                    LogStage(plan.Run, plan.Round, blind.Stage);
                    continue;
                }

                if (left <= TimeSpan.Zero && stage != SumStage.Done) continue;
                await WaitAsync(change, stage == SumStage.Done ? Timeout.InfiniteTimeSpan : left, cancellationToken);
            }
            catch (IOException error)
            {
                // A full disk loses nothing and stops nobody else: who is late is dropped when there is room.
                LogStorageFailed(plan.Run, plan.Round, error.Message, RoundRunner.StorageRetry.TotalSeconds);
                await Task.Delay(RoundRunner.StorageRetry, time, cancellationToken);
            }
        }
    }

    /// <summary>A site advertises keys when it has trained, so that stage has the round's own time, and its grace where too few have come.</summary>
    private static TimeSpan PatienceForKeys(JobSpec job, BlindRound blind) =>
        TimeSpan.FromMinutes(job.RoundDeadlineMinutes + (blind.HasEnough ? 0 : job.GraceMinutes));

    private async Task WaitAsync(Task change, TimeSpan longest, CancellationToken cancellationToken)
    {
        try
        {
            await change.WaitAsync(longest, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Looked at again either way.
        }
    }

    /// <summary>
    /// The round's exchange, read from the disk if it is not at hand; <see langword="null"/> when no such blind round is open.
    /// </summary>
    private BlindRound? Open(RunId run, int round)
    {
        if (book.Find(run)?.OpenRound is not { Plan.MasksUpdates: true } open || open.Plan.Round != round) return null;
        if (_open.TryGetValue((run, round), out var known)) return known;
        var read = new BlindRound(open.Plan, new ExchangeFiles(options.Value.DataDirectory, open.Plan), _check);
        // Before anybody speaks: after a restart it stands where it stood.
        read.Advance(open, patienceIsOver: false);
        return _open.GetOrAdd((run, round), read);
    }

    private void Drop(RoundPlan plan, SiteId site) =>
        book.Step(plan.Run, new RunInput.Declined(site, plan.Round, DropReason.LeftExchange), time.GetUtcNow());

    [LoggerMessage(140, LogLevel.Information, "The blind exchange of {Run} round {Round} has come to {Stage}")]
    private partial void LogStage(RunId run, int round, SumStage stage);

    [LoggerMessage(141, LogLevel.Warning, "Site {Site} kept the blind exchange of {Run} round {Round} waiting in {Stage} and is out of it")]
    private partial void LogLate(SiteId site, RunId run, int round, SumStage stage);

    [LoggerMessage(142, LogLevel.Warning, "Refused a message of {Site} to the blind exchange of {Run} round {Round}, {Stage}: {Reason}")]
    private partial void LogRefused(SiteId site, RunId run, int round, SumStage stage, AbortReason reason);

    [LoggerMessage(143, LogLevel.Error, "Could not go on with the blind exchange of {Run} round {Round}: {Problem} Free space in the data folder; trying again in {Seconds} s")]
    private partial void LogStorageFailed(RunId run, int round, string problem, double seconds);
}

using System.Collections.Immutable;
using FedSeg.Coordinator.Sites;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;
using FedSeg.Federation.Scheduling;

namespace FedSeg.Coordinator.Rounds;

/// <summary>Whose turn it is at every site, on the clock that nobody sets. Rebuilt after a restart from what the agents have in hand.</summary>
internal sealed class SiteTurnBook(RunBook book, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _started = time.GetTimestamp();
    private readonly Dictionary<SiteId, (SiteTurns Turns, Attendance? Attendance)> _sites = [];

    /// <summary>A site has come; a second connection of the same site takes over from the first.</summary>
    public void Enter(SiteId site, Attendance attendance)
    {
        lock (_gate)
        {
            // It was taken over from before it came here, and its successor may have been quicker.
            if (attendance.Ended.IsCancellationRequested) return;
            _sites[site] = (Of(site).Enter(attendance.InHand, Now), attendance);
        }
    }

    /// <summary>A connection ended, unless another one has taken over.</summary>
    public void Leave(SiteId site, Attendance attendance)
    {
        lock (_gate)
        {
            if (_sites.TryGetValue(site, out var known) && known.Attendance == attendance) _sites[site] = (known.Turns.Leave(Now), null);
        }
    }

    /// <summary>A site's turns by what its runs want now.</summary>
    public SiteTurns Look(SiteId site)
    {
        lock (_gate)
        {
            var turns = Of(site).Look(SiteDemand.Of(book.Runs, site), Now);
            _sites[site] = (turns, _sites.GetValueOrDefault(site).Attendance);
            return turns;
        }
    }

    /// <summary>A run has a site's turn and was not handed out there.</summary>
    public void GiveBack(SiteId site, RunId run)
    {
        lock (_gate) _sites[site] = (Of(site).GiveBack(run, Now), _sites.GetValueOrDefault(site).Attendance);
    }

    /// <summary>How many rounds wait for their turn at a site that is there and works for another one.</summary>
    public int Queued
    {
        get
        {
            lock (_gate) return _sites.Values.Where(site => site.Turns.Attends).SelectMany(site => site.Turns.Waiting).Select(demand => (demand.Run, demand.Round)).Distinct().Count();
        }
    }

    /// <summary>How long each site of a run's open round could not begin with it because it works for others.</summary>
    public IReadOnlyDictionary<SiteId, TimeSpan> HeldUp(RunState run)
    {
        if (run.OpenRound is not { } round) return new Dictionary<SiteId, TimeSpan>();
        lock (_gate) return run.Job.Sites.ToDictionary(site => site, site => Of(site).HeldUpFor(run.Id, round.Plan.Round, Now));
    }

    /// <summary>Where a run's open round stands at each of its sites; empty where none is open.</summary>
    public IReadOnlyDictionary<SiteId, SitePlace> Places(RunState run)
    {
        if (run.OpenRound is null) return new Dictionary<SiteId, SitePlace>();
        lock (_gate) return run.Job.Sites.ToDictionary(site => site, site => Place(Of(site), run.Id));
    }

    private static SitePlace Place(SiteTurns turns, RunId run)
    {
        var place = 1 + turns.Waiting.TakeWhile(demand => demand.Run != run).Count();
        return new SitePlace(
            turns.Attends,
            turns.InWork.Any(work => work.Run == run),
            place > turns.Waiting.Length ? 0 : place,
            [.. turns.InWork.Concat(turns.Waiting.Take(place - 1)).Select(demand => demand.Run)]);
    }

    private TimeSpan Now => time.GetElapsedTime(_started);

    private SiteTurns Of(SiteId site) => _sites.TryGetValue(site, out var known) ? known.Turns : SiteTurns.Away;
}

/// <summary>Where a round stands at a site.</summary>
/// <param name="Attends">Whether the site is there.</param>
/// <param name="IsInWork">Whether it works on the round.</param>
/// <param name="Position">Its place in the site's queue, from 1; 0 when it does not wait there.</param>
/// <param name="Behind">The runs that come first.</param>
internal sealed record SitePlace(bool Attends, bool IsInWork, int Position, ImmutableArray<RunId> Behind);

using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;

namespace FedSeg.Federation.Scheduling;

/// <summary>
/// Whose turn it is at a site, which trains for one round at a time: studies that want it share its time by their priorities' weights (start-time fair queueing, Goyal, Vin
/// and Cheng 1996: the study goes next that has had the least time for its weight, and one that comes anew starts level with those that are there). Every study has a weight, so
/// none starves. No clock and no chance: times are what the caller's steady clock shows.
/// </summary>
/// <remarks>It is not in the journal: after a restart sites say what they have in hand, and the shares begin anew.</remarks>
public sealed record SiteTurns
{
    private TimeSpan _seenAt;

    /// <summary>Seconds of the site's time by study, divided by the weight.</summary>
    private ImmutableSortedDictionary<string, double> _served = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal);

    private ImmutableDictionary<(RunId Run, int Round), TimeSpan> _heldUp = ImmutableDictionary<(RunId Run, int Round), TimeSpan>.Empty;
    private ImmutableArray<(RunId Run, int Round)> _inHand = [];

    private SiteTurns() { }

    /// <summary>A site that is not there and for which nothing waits.</summary>
    public static SiteTurns Away { get; } = new();

    /// <summary>Whether the site is there.</summary>
    public bool Attends { get; private init; }

    /// <summary>What it works on: one round, or several that it had in hand when it came.</summary>
    public ImmutableArray<SiteDemand> InWork { get; private init; } = [];

    /// <summary>What waits, in the order in which it would come if nothing changed.</summary>
    public ImmutableArray<SiteDemand> Waiting { get; private init; } = [];

    /// <summary>The site has come, with work in hand from an earlier connection.</summary>
    public SiteTurns Enter(IEnumerable<(RunId Run, int Round)> inHand, TimeSpan now) => Pass(now) with { Attends = true, InWork = [], _inHand = [.. inHand] };

    /// <summary>The site has gone: it is waited for like one that never came.</summary>
    public SiteTurns Leave(TimeSpan now) => Pass(now) with { Attends = false, InWork = [], _inHand = [] };

    /// <summary>A turn was given, and its round was not handed out: its run was paused in between, and might be so for days.</summary>
    public SiteTurns GiveBack(RunId run, TimeSpan now) => Pass(now) with { InWork = InWork.RemoveAll(work => work.Run == run) };

    /// <summary>Looks at what is wanted now: what is no longer wanted has ended, and a site without work gets the next.</summary>
    public SiteTurns Look(ImmutableArray<SiteDemand> demands, TimeSpan now)
    {
        var passed = Pass(now);
        var served = Join(passed, demands);
        bool IsInHand(SiteDemand demand) =>
            InWork.Any(work => work.Run == demand.Run && work.Round == demand.Round) || _inHand.Contains((demand.Run, demand.Round));
        ImmutableArray<SiteDemand> inWork = Attends ? [.. demands.Where(IsInHand)] : [];
        ImmutableArray<SiteDemand> waiting =
        [
            .. demands.Except(inWork).Where(demand => !demand.IsPaused)
                .OrderByDescending(demand => demand.CanBegin)
                .ThenBy(demand => served.GetValueOrDefault(demand.Share))
                .ThenByDescending(demand => Weight(demand.Priority))
                .ThenBy(demand => demand.OpenedAt)
                .ThenBy(demand => demand.Run.ToString(), StringComparer.Ordinal),
        ];
        if (Attends && inWork.IsEmpty && waiting is [{ CanBegin: true } next, .. var rest]) (inWork, waiting) = ([next], rest);
        return passed with
        {
            InWork = inWork,
            Waiting = waiting,
            _inHand = [],
            _served = demands.IsEmpty ? _served.Clear() : served,
            // After a pause a round has its whole deadline again, and is held up anew.
            _heldUp = passed._heldUp.RemoveRange(passed._heldUp.Keys.Except(demands.Where(demand => !demand.IsPaused).Select(demand => (demand.Run, demand.Round))).ToList()),
        };
    }

    /// <summary>How long the site could not begin a round because of its work for others. A site that is away is held up by nobody.</summary>
    public TimeSpan HeldUpFor(RunId run, int round, TimeSpan now) => Pass(now)._heldUp.GetValueOrDefault((run, round));

    private static double Weight(JobPriority priority) => priority switch
    {
        JobPriority.Low => 1,
        JobPriority.High => 16,
        _ => 4,
    };

    /// <summary>Lets the time since the last look pass.</summary>
    private SiteTurns Pass(TimeSpan now)
    {
        if (!Attends || now <= _seenAt) return this with { _seenAt = now };
        var (served, heldUp) = (_served, _heldUp);
        foreach (var work in InWork) served = served.SetItem(work.Share, served.GetValueOrDefault(work.Share) + (now - _seenAt).TotalSeconds / Weight(work.Priority));
        foreach (var demand in Waiting.Where(IsHeldUp))
        {
            var key = (demand.Run, demand.Round);
            heldUp = heldUp.SetItem(key, heldUp.GetValueOrDefault(key) + (now - _seenAt));
        }

        return this with { _seenAt = now, _served = served, _heldUp = heldUp };
    }

    /// <summary>Not by one blind round of another: if two ever wait for each other, their deadlines must run.</summary>
    private bool IsHeldUp(SiteDemand demand) => !demand.CanBegin || InWork.Any(work => !(work.IsBlind && demand.IsBlind));

    /// <summary>The shares with those who have come since the last look: time in which one wanted nothing is not saved up.</summary>
    private ImmutableSortedDictionary<string, double> Join(SiteTurns passed, ImmutableArray<SiteDemand> demands)
    {
        var served = passed._served;
        var there = InWork.Concat(Waiting).Select(demand => demand.Share).ToHashSet(StringComparer.Ordinal);
        if (there.Count == 0) return served;
        var level = there.Min(study => served.GetValueOrDefault(study));
        foreach (var study in demands.Select(demand => demand.Share).Distinct().Where(study => !there.Contains(study)))
        {
            served = served.SetItem(study, Math.Max(level, served.GetValueOrDefault(study)));
        }

        return served;
    }
}

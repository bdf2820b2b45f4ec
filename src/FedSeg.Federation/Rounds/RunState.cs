using System.Collections.Immutable;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Fingerprints;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Jobs;

namespace FedSeg.Federation.Rounds;

/// <summary>A run as it stands: the fold of its journal. Pure; the same events give the same state on any machine.</summary>
public sealed record RunState
{
    public required RunId Id { get; init; }

    public required JobSpec Job { get; init; }

    public required string SubmittedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The newest global model.</summary>
    public required ModelRef Model { get; init; }

    /// <summary>The round of fingerprints, number 0; absent before it is opened, and in a run whose job names its network.</summary>
    public RoundState? FingerprintRound { get; init; }

    /// <summary>The plan made from it; from then on <see cref="Job"/> names the network.</summary>
    public RunEvent.PlanFrozen? Plan { get; init; }

    /// <summary>Training rounds and the closing evaluation in order; the last one may be open.</summary>
    public ImmutableArray<RoundState> Rounds { get; init; } = [];

    /// <summary>Set while the run is paused.</summary>
    public RunEvent.Paused? Pause { get; init; }

    /// <summary><see langword="null"/> while the run goes on.</summary>
    public RunEvent.Ended? End { get; init; }

    /// <summary>The round that waits for answers, if any.</summary>
    public RoundState? OpenRound => End is null && AllRounds.LastOrDefault() is { ClosedAt: null } last ? last : null;

    /// <summary>Every round that was opened, that of the fingerprints first.</summary>
    public IEnumerable<RoundState> AllRounds => FingerprintRound is null ? Rounds : Rounds.Prepend(FingerprintRound);

    /// <summary>The number of the round to open next: 0 for fingerprints, one past the training rounds for the closing evaluation.</summary>
    public int NextRound => Job.Planning is not null && FingerprintRound is null ? 0 : Rounds.Length + 1;

    /// <summary>Whether every training round and the closing evaluation are done.</summary>
    public bool IsDone => OpenRound is null && Rounds.Length > Job.Rounds;

    /// <summary>The state after one more event.</summary>
    /// <param name="state">The state before; <see langword="null"/> only for <see cref="RunEvent.Created"/>.</param>
    /// <param name="run">The run the event belongs to.</param>
    /// <param name="next">The event.</param>
    /// <exception cref="InvalidOperationException">The event can't follow the state: the journal is broken.</exception>
    public static RunState Apply(RunState? state, RunId run, RunEvent next) => (state, next) switch
    {
        (null, RunEvent.Created created) => new RunState
        {
            Id = run,
            Job = created.Job,
            SubmittedBy = created.SubmittedBy,
            CreatedAt = created.At,
            Model = created.InitialModel,
        },
        ({ End: null, OpenRound: null }, RunEvent.RoundOpened opened)
            when opened.Round == state.NextRound && opened.BaseModel == state.Model =>
            opened.Round == 0
                ? state with { FingerprintRound = state.Open(opened) }
                : state with { Rounds = state.Rounds.Add(state.Open(opened)) },
        ({ OpenRound: { } round }, RunEvent.UpdateAccepted accepted)
            when accepted.Report.Round == round.Plan.Round && !round.Answered(accepted.Report.Site) =>
            state.WithOpenRound(round with { Accepted = round.Accepted.Add(accepted.Report.Site, accepted), MergeAttempts = 0 }),
        ({ OpenRound: { } round }, RunEvent.SiteDropped dropped) when dropped.Round == round.Plan.Round && !round.Answered(dropped.Site) =>
            state.WithOpenRound(round with { Dropped = round.Dropped.Add(dropped.Site, dropped.Reason), MergeAttempts = 0 }),
        ({ OpenRound: { } round }, RunEvent.SiteWaits waits) when waits.Round == round.Plan.Round && !round.Answered(waits.Site) =>
            state.WithOpenRound(round with { WaitingForReview = round.WaitingForReview.Add(waits.Site) }),
        ({ OpenRound: { } round }, RunEvent.MergeBegun begun) when begun.Round == round.Plan.Round =>
            state.WithOpenRound(round with { MergeAttempts = round.MergeAttempts + 1 }),
        ({ OpenRound: { } round }, RunEvent.RoundClosed closed) when closed.Round == round.Plan.Round =>
            state.WithOpenRound(round with { ClosedAt = closed.At, Model = closed.Model, ServerState = closed.ServerState, Norms = closed.Norms })
                with { Model = closed.Model ?? state.Model },
        ({ OpenRound: { Plan.Task: RoundTask.Fingerprint } round, Job: var job }, RunEvent.PlanFrozen frozen) =>
            state.WithOpenRound(round with { ClosedAt = frozen.At })
                with { Plan = frozen, Model = frozen.InitialModel, Job = job.With(frozen.Plan) },
        ({ End: null, Pause: null }, RunEvent.Paused paused) => state with { Pause = paused },
        ({ End: null, Pause: not null }, RunEvent.Unpaused) => state with { Pause = null },
        ({ End: null }, RunEvent.Ended ended) => state with { End = ended },
        _ => throw new InvalidOperationException($"{next.GetType().Name} can't follow the state of {run}."),
    };

    private RoundState Open(RunEvent.RoundOpened opened)
    {
        var control = Rounds is [.., var last] ? last.ServerState.GetValueOrDefault(StatePart.Control) : null;
        return new(Job.PlanRound(Id, opened.Round, opened.BaseModel.Sha256, opened.BaseModel.Bytes, control, Plan?.Sha256), opened.At);
    }

    private RunState WithOpenRound(RoundState round) => round.Plan.Task == RoundTask.Fingerprint
        ? this with { FingerprintRound = round }
        : this with { Rounds = Rounds.SetItem(Rounds.Length - 1, round) };
}

/// <summary>One round as it stands.</summary>
/// <param name="Plan">What was asked.</param>
/// <param name="OpenedAt">When.</param>
public sealed record RoundState(RoundPlan Plan, DateTimeOffset OpenedAt)
{
    /// <summary>Accepted answers by site; a site counts once.</summary>
    public ImmutableSortedDictionary<SiteId, RunEvent.UpdateAccepted> Accepted { get; init; } =
        ImmutableSortedDictionary<SiteId, RunEvent.UpdateAccepted>.Empty;

    /// <summary>Sites that will not deliver.</summary>
    public ImmutableSortedDictionary<SiteId, DropReason> Dropped { get; init; } = ImmutableSortedDictionary<SiteId, DropReason>.Empty;

    /// <summary>Sites that said a person of theirs has to decide; they may have answered since.</summary>
    public ImmutableSortedSet<SiteId> WaitingForReview { get; init; } = [];

    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>The global model this round made.</summary>
    public ModelRef? Model { get; init; }

    /// <summary>What the aggregation strategy remembers for the next round.</summary>
    public ImmutableSortedDictionary<StatePart, ModelRef> ServerState { get; init; } = ImmutableSortedDictionary<StatePart, ModelRef>.Empty;

    /// <summary>Each update's L2 norm before it was bounded; empty where the strategy bounds none.</summary>
    public ImmutableSortedDictionary<SiteId, double> Norms { get; init; } = ImmutableSortedDictionary<SiteId, double>.Empty;

    /// <summary>What the sites of a fingerprint round told, in their ordinal order.</summary>
    public ImmutableArray<SiteFingerprint> Fingerprints => [.. Accepted.Values.Select(accepted => accepted.Report.Fingerprint!)];

    /// <summary>How often the merge of these very answers was begun.</summary>
    public int MergeAttempts { get; init; }

    /// <summary>Whether a person of the site has to decide before it goes on.</summary>
    public bool WaitingForPeople(SiteId site) => WaitingForReview.Contains(site) && !Answered(site);

    /// <summary>Whether a site has said its last word in this round.</summary>
    public bool Answered(SiteId site) => Accepted.ContainsKey(site) || Dropped.ContainsKey(site);
}

/// <summary>What a round does next.</summary>
public enum RoundVerdict
{
    /// <summary>Wait for more answers.</summary>
    Wait,

    /// <summary>There are enough answers, and no more is waited for.</summary>
    Close,

    /// <summary>There can't be enough any more, or not in time.</summary>
    QuorumLost,
}

using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// The coordinator's side of a run, without its input and output: what a run is told, together with its state, gives its next state and what there is to do. No clock,
/// no chance, no waiting: the coordinator carries the effects out on disk and network, and the simulator of <c>FedSeg.Federation.Tests</c> on faulty ones.
/// </summary>
/// <remarks>
/// The state is the journal's fold and nothing else, so a crash forgets nothing that matters; the runner is told what to do next by asking again. An update is
/// acknowledged by an <see cref="RunEffect.Answer"/> that stands behind the <see cref="RunEffect.Append"/> of its entry (I1), and a round closes on what was merged or
/// is merged again (I4).
/// </remarks>
public static class RunProtocol
{
    /// <summary>How often the merge of the same updates is begun before its run is given up, so that it can't take the other runs with it for ever.</summary>
    public const int MaximumMergeAttempts = 5;

    /// <summary>One step.</summary>
    /// <param name="state">The run as it stands.</param>
    /// <param name="input">What it is told.</param>
    /// <param name="at">When, UTC: the time of the entry, if there is one; no decision depends on it.</param>
    public static RunStep Step(RunState state, RunInput input, DateTimeOffset at) => input switch
    {
        RunInput.Resumed => Stay(state, new RunEffect.Note()),
        RunInput.Continued continued => Continue(state, continued, at),
        RunInput.MergeTurn turn => BeginMerge(state, turn, at),
        RunInput.Merged merged => Close(state, merged, at),
        RunInput.Planned planned => Freeze(state, planned, at),
        RunInput.Broke broke => End(state, RunOutcome.Failed, broke.Reason, at),
        RunInput.Asked asked => Offer(state, asked),
        RunInput.Announced announced => Admit(state, announced.Site, announced.Digest) is { } answer
            ? Stay(state, [.. answer])
            : Stay(state, new RunEffect.Receive(state.OpenRound!.Plan)),
        RunInput.Stored stored => Accept(state, stored, at),
        RunInput.Declined declined => Drop(state, declined, at),
        RunInput.AwaitsReview waits => Note(state, waits, at),
        RunInput.Paused paused => state is { End: null, Pause: null } ? Enter(state, new RunEvent.Paused { At = at, By = paused.By }) : Stay(state),
        RunInput.Unpaused on => state is { End: null, Pause: not null } ? Enter(state, new RunEvent.Unpaused { At = at, By = on.By }) : Stay(state),
        RunInput.Cancelled cancelled => End(state, RunOutcome.Cancelled, $"Cancelled by {cancelled.By}.", at),
        _ => throw new InvalidOperationException($"A run is not told {input.GetType().Name}."),
    };

    /// <summary>The next thing to do: open a round, wait for it, merge it, close it, or end the run.</summary>
    private static RunStep Continue(RunState state, RunInput.Continued seen, DateTimeOffset at)
    {
        if (state.End is not null) return Stay(state, new RunEffect.Finish());
        if (state.Pause is not null) return Stay(state, new RunEffect.Await(Timeout.InfiniteTimeSpan));
        if (state.IsDone) return End(state, RunOutcome.Completed, "All rounds are done.", at);
        if (state.OpenRound is not { } round)
        {
            return Enter(state, new RunEvent.RoundOpened { At = at, Round = state.NextRound, BaseModel = state.Model }, new RunEffect.Note());
        }

        var before = state.Rounds is [.., var last, _] ? last : null;
        return RoundRules.Judge(state.Job, round, before, seen) switch
        {
            RoundVerdict.QuorumLost => End(state, RunOutcome.Failed, DescribeLostQuorum(state, round), at),
            RoundVerdict.Wait => Stay(state, new RunEffect.Await(RoundRules.NextLook(state.Job, round, seen))),
            _ when round.Plan.Task == RoundTask.Train => Stay(state, new RunEffect.AwaitMergeTurn(round)),
            _ when round.Plan.Task == RoundTask.Fingerprint => Stay(state, new RunEffect.PlanNetwork(round)),
            _ => Close(state, new RunEvent.RoundClosed { At = at, Round = round.Plan.Round, Model = null }),
        };
    }

    /// <summary>Before the merge its entry: what ends the process each time is known by it, and is left alone after a few.</summary>
    private static RunStep BeginMerge(RunState state, RunInput.MergeTurn turn, DateTimeOffset at)
    {
        if (state is not { Pause: null, OpenRound: { } round } || round.Plan.Round != turn.Round) return Stay(state);
        if (turn.WasPutOff) return Stay(state, new RunEffect.Merge(round));
        return round.MergeAttempts < MaximumMergeAttempts
            ? Enter(state, new RunEvent.MergeBegun { At = at, Round = turn.Round }, new RunEffect.Merge(round))
            : End(state, RunOutcome.Failed, $"Round {turn.Round} was given up: its merge was begun {round.MergeAttempts} times and never ended; the coordinator's log says more.", at);
    }

    private static RunStep Close(RunState state, RunInput.Merged merged, DateTimeOffset at)
    {
        if (state.OpenRound is not { } round || round.Plan.Round != merged.Round.Plan.Round) return Stay(state);

        // An update that was acknowledged while the others were merged counts: merge again, with it.
        if (round.Accepted.Count != merged.Round.Accepted.Count) return Stay(state, new RunEffect.AwaitMergeTurn(round));

        return Close(state, new RunEvent.RoundClosed
        {
            At = at,
            Round = round.Plan.Round,
            Model = merged.Model,
            ServerState = merged.ServerState,
            Norms = merged.Norms,
        });
    }

    private static RunStep Freeze(RunState state, RunInput.Planned planned, DateTimeOffset at)
    {
        if (state.OpenRound is not { Plan.Task: RoundTask.Fingerprint } round) return Stay(state);

        // As with updates: a fingerprint that was acknowledged meanwhile counts.
        if (round.Accepted.Count != planned.Round.Accepted.Count) return Stay(state, new RunEffect.PlanNetwork(round));

        var frozen = new RunEvent.PlanFrozen { At = at, Plan = planned.Plan, Sha256 = planned.Plan.Digest(), InitialModel = planned.InitialModel };
        return Enter(state, frozen, new RunEffect.Note(), new RunEffect.DropUploads(round.Plan.Round));
    }

    /// <summary>What the round made is in the ledger before the next one builds on it.</summary>
    private static RunStep Close(RunState state, RunEvent.RoundClosed closed) =>
        Enter(state, closed, new RunEffect.Note(), new RunEffect.DropUploads(closed.Round));

    private static RunStep Offer(RunState state, RunInput.Asked asked)
    {
        if (!state.Job.Sites.Contains(asked.Site)) return Stay(state);
        if (state.End is not null) return asked.HoldsSomething ? Stay(state, new RunEffect.Release()) : Stay(state);
        if (state.Pause is not null) return Stay(state);
        if (state.OpenRound is not { } round || round.Answered(asked.Site)) return Stay(state);
        // What waits for a person takes no turn, and an agent that has forgotten it is told again.
        return asked.HasTurn || round.WaitingForPeople(asked.Site) ? Stay(state, new RunEffect.Assign(round.Plan)) : Stay(state);
    }

    /// <summary>The answer to an update that is known already or comes at the wrong time; <see langword="null"/> for one to take in.</summary>
    private static RunEffect[]? Admit(RunState state, SiteId site, Sha256Digest digest)
    {
        // It was acknowledged before, and the answer may have been lost on its way.
        if (WasAccepted(state, site, digest)) return [new RunEffect.Note(), new RunEffect.Answer(UploadOutcome.Accepted)];
        if (state.OpenRound is not { } round || !state.Job.Sites.Contains(site)) return [new RunEffect.Answer(UploadOutcome.RoundNotOpen)];
        return round.Answered(site) ? [new RunEffect.Answer(UploadOutcome.AlreadyAnswered)] : null;
    }

    private static RunStep Accept(RunState state, RunInput.Stored stored, DateTimeOffset at)
    {
        if (Admit(state, stored.Report.Site, stored.Digest) is { } answer) return Stay(state, answer);
        if (stored.Report.Round != state.OpenRound!.Plan.Round) return Stay(state, new RunEffect.Answer(UploadOutcome.RoundNotOpen));

        var accepted = new RunEvent.UpdateAccepted
        {
            At = at,
            Report = stored.Report,
            Digest = stored.Digest,
            Weights = stored.Weights,
            Signature = stored.Signature,
        };
        return Enter(state, accepted, new RunEffect.Note(), new RunEffect.Answer(UploadOutcome.Accepted));
    }

    private static RunStep Drop(RunState state, RunInput.Declined declined, DateTimeOffset at)
    {
        return WaitedFor(state, declined.Site, declined.Round)
            ? Enter(state, new RunEvent.SiteDropped { At = at, Round = declined.Round, Site = declined.Site, Reason = declined.Reason })
            : Stay(state);
    }

    /// <summary>A review is no answer: the round waits on, and no longer than its deadline.</summary>
    private static RunStep Note(RunState state, RunInput.AwaitsReview waits, DateTimeOffset at) =>
        WaitedFor(state, waits.Site, waits.Round) && !state.OpenRound!.WaitingForReview.Contains(waits.Site)
            ? Enter(state, new RunEvent.SiteWaits { At = at, Round = waits.Round, Site = waits.Site })
            : Stay(state);

    private static bool WaitedFor(RunState state, SiteId site, int number) =>
        state.OpenRound is { } round && round.Plan.Round == number && state.Job.Sites.Contains(site) && !round.Answered(site);

    private static RunStep End(RunState state, RunOutcome outcome, string reason, DateTimeOffset at) =>
        state.End is null ? Enter(state, new RunEvent.Ended { At = at, Outcome = outcome, Reason = reason }) : Stay(state);

    private static bool WasAccepted(RunState state, SiteId site, Sha256Digest digest) =>
        state.AllRounds.Any(round => round.Accepted.TryGetValue(site, out var accepted) && accepted.Digest == digest);

    private static string DescribeLostQuorum(RunState state, RoundState round)
    {
        var dropped = round.Dropped.Select(entry => $"{entry.Key}: {entry.Value}");
        var silent = state.Job.Sites.Where(site => !round.Answered(site)).Select(site =>
            round.WaitingForReview.Contains(site) ? $"{site}: still waiting for review at the deadline" : $"{site}: no answer by the deadline");
        var reasons = string.Join("; ", dropped.Concat(silent));
        return $"Round {round.Plan.Round} had {RoundRules.Shortfall(state.Job, round)} ({reasons}).";
    }

    private static RunStep Enter(RunState state, RunEvent next, params ReadOnlySpan<RunEffect> then) =>
        new(RunState.Apply(state, state.Id, next), [new RunEffect.Append(next), .. then]);

    private static RunStep Stay(RunState state, params ReadOnlySpan<RunEffect> effects) => new(state, [.. effects]);
}

/// <summary>What a step gives.</summary>
/// <param name="State">The run afterwards; it counts once the <see cref="RunEffect.Append"/> among the effects is on the disk.</param>
/// <param name="Effects">What to do, in this order.</param>
public readonly record struct RunStep(RunState State, ImmutableArray<RunEffect> Effects);

using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Assignments;

/// <summary>
/// The site's side of a run, without its input and output: what the agent learns, together with its state, gives its next state and what there is to do. No clock, no
/// chance, no waiting; the agent carries the effects out, and the simulator of <c>FedSeg.Federation.Tests</c> does so over a faulty network and disk.
/// </summary>
/// <remarks>
/// One round at a time. Whatever goes wrong becomes a code that is cleared and sent like everything else. What the gate approved before a crash is sent, not trained
/// again; nothing is sent that the gate did not clear (I3), and a plan that is not approved is answered and never trained (I6).
/// </remarks>
public static class AssignmentProtocol
{
    /// <summary>Most rounds that wait at a site; what comes beyond is assigned again at the next attendance.</summary>
    private const int MaximumWaiting = 64;

    /// <summary>How long a round's last steps are given when its run has ended.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromSeconds(8);

    /// <summary>How often a round is asked for again, at the least, that could not even be declined: the site's operator may have to mend its policy first.</summary>
    private static readonly TimeSpan LongestUnanswered = TimeSpan.FromMinutes(15);

    /// <summary>How long a full disk is given before it is tried again.</summary>
    private static readonly TimeSpan StorageRetry = TimeSpan.FromSeconds(15);

    /// <summary>One step.</summary>
    public static AssignmentStep Step(AssignmentState state, AssignmentInput input) => input switch
    {
        AssignmentInput.Remembered remembered => Stay(Hold(state, remembered.Run)),
        AssignmentInput.RoundAssigned assigned => Take(state, assigned),
        AssignmentInput.RunEnded ended => EndRun(state, ended.Run),
        AssignmentInput.Reviewed reviewed => TakeUpAgain(state, reviewed.Run),
        AssignmentInput.PlanUntimely => LeaveUnanswered(state),
        AssignmentInput.Halted => Halt(state),
        AssignmentInput.RunFreed freed => Stay(state with { Held = state.Held.Remove(freed.Run) }),
        _ when state.Current is { IsStopping: true } work && !IsSeenThrough(work, input) => BeginNext(state, EndOf(work)),
        _ when state.Current is { } work => Advance(state, work, input),
        _ => throw new InvalidOperationException($"{input.GetType().Name} answers nothing that is under way."),
    };

    /// <summary>What has left is recorded as sent and cosigned, also when the run has ended meanwhile.</summary>
    private static bool IsSeenThrough(RoundInWork work, AssignmentInput input) => (work.Doing, input) switch
    {
        (AssignmentEffect.SendUpdate or AssignmentEffect.SendNotice, AssignmentInput.Delivered) => true,
        (AssignmentEffect.RecordSent { Accepted: true } or AssignmentEffect.RecordNotice, AssignmentInput.Recorded) => true,
        _ => false,
    };

    private static AssignmentEffect EndOf(RoundInWork work) =>
        work.IsHalted ? new AssignmentEffect.Drop(work.Doing.Plan.Run) : new AssignmentEffect.Free(work.Doing.Plan.Run);

    private static AssignmentStep Take(AssignmentState state, AssignmentInput.RoundAssigned assigned)
    {
        if (state.Has(assigned.Plan) || state.Waiting.Length == MaximumWaiting) return Stay(state);
        // A round in review is told again; one of an earlier round has lost its turn.
        var taken = Hold(state, assigned.Plan.Run) with
        {
            Waiting = state.Waiting.Add(assigned),
            InReview = state.InReview.RemoveAll(review => review.Plan.Run == assigned.Plan.Run),
        };
        return taken.Current is null ? BeginNext(taken) : Stay(taken);
    }

    private static AssignmentStep TakeUpAgain(AssignmentState state, RunId run)
    {
        var again = state with
        {
            Waiting = state.Waiting.AddRange(state.InReview.Where(review => review.Plan.Run == run)),
            InReview = state.InReview.RemoveAll(review => review.Plan.Run == run),
        };
        // Decided before the coordinator was told that it waits.
        if (again.Current is { AwaitsReview: true } work && work.Assigned.Plan.Run == run)
        {
            again = again with { Waiting = again.Waiting.Add(work.Assigned), Current = work with { AwaitsReview = false } };
        }

        return again.Current is null ? BeginNext(again) : Stay(again);
    }

    private static AssignmentStep Halt(AssignmentState state)
    {
        var left = state with { Waiting = [], InReview = [] };
        return left.Current is { IsStopping: false } work ? new(left with { Current = work with { IsStopping = true, IsHalted = true } }, [new AssignmentEffect.Stop(TimeSpan.Zero)]) : Stay(left);
    }

    private static AssignmentStep EndRun(AssignmentState state, RunId run)
    {
        var left = state with
        {
            Waiting = state.Waiting.RemoveAll(waiting => waiting.Plan.Run == run),
            InReview = state.InReview.RemoveAll(review => review.Plan.Run == run),
        };
        if (left.Current is not { } work || work.Doing.Plan.Run != run) return new(left, [new AssignmentEffect.Free(run)]);
        return work.IsStopping
            ? Stay(left with { Current = work with { IsHalted = false } })
            : new(left with { Current = work with { IsStopping = true } }, [new AssignmentEffect.Stop(IsLast(work.Doing) ? LastPatience : TimeSpan.Zero)]);
    }

    /// <summary>From the sending on: the answer may be what ended the run, and it counts, is recorded and is cosigned.</summary>
    private static bool IsLast(AssignmentEffect.Work step) => step
        is AssignmentEffect.SendUpdate or AssignmentEffect.RecordSent
        or AssignmentEffect.SendNotice or AssignmentEffect.RecordNotice or AssignmentEffect.Cosign;

    /// <summary>The life of a round at a site: the step that ended, how it ended, and the step that follows.</summary>
    private static AssignmentStep Advance(AssignmentState state, RoundInWork work, AssignmentInput input)
    {
        var plan = work.Assigned.Plan;
        return (work.Doing, input) switch
        {
            (AssignmentEffect.Recall, AssignmentInput.Recalled { Update: { } update }) => Do(new AssignmentEffect.SendUpdate(plan, update)),
            (AssignmentEffect.Recall or AssignmentEffect.ClearUpdate, AssignmentInput.AwaitsReview) => AwaitReview(),
            (AssignmentEffect.Recall, AssignmentInput.RefusedByPeople refused) => Decline(refused.Reason),
            (AssignmentEffect.Recall, AssignmentInput.Lapsed) => BeginNext(state, new AssignmentEffect.AttendAnew(TimeSpan.Zero)),
            (AssignmentEffect.Recall, AssignmentInput.Recalled) when plan.Task == RoundTask.Fingerprint => Do(new AssignmentEffect.Train(plan)),
            (AssignmentEffect.Recall, AssignmentInput.Recalled) => Do(new AssignmentEffect.FetchModel(plan)),
            (AssignmentEffect.FetchModel, AssignmentInput.ModelFetched) => Do(new AssignmentEffect.Train(plan)),
            (AssignmentEffect.FetchModel, AssignmentInput.ModelRefused) => Decline(DropReason.ModelRefused),
            (AssignmentEffect.Train, AssignmentInput.Trained trained) => Do(new AssignmentEffect.ClearUpdate(plan, trained.Update)),
            (AssignmentEffect.Train, AssignmentInput.TrainingFailed failed) => Decline(failed.Reason),
            (AssignmentEffect.ClearUpdate, AssignmentInput.UpdateCleared cleared) => Do(new AssignmentEffect.SendUpdate(plan, cleared.Update)),
            (AssignmentEffect.ClearUpdate, AssignmentInput.UpdateRefused) => Decline(DropReason.RefusedByPolicy),
            (AssignmentEffect.SendUpdate send, AssignmentInput.Delivered answer) =>
                Do(new AssignmentEffect.RecordSent(plan, send.Update, answer.Accepted)),
            (AssignmentEffect.SendUpdate send, AssignmentInput.PayloadChanged) => Do(new AssignmentEffect.RecordChanged(plan, send.Update)),
            (AssignmentEffect.RecordSent { Accepted: true }, AssignmentInput.Recorded) => Do(new AssignmentEffect.Cosign(plan)),
            (AssignmentEffect.RecordSent, AssignmentInput.Recorded) => Decline(DropReason.UpdateRefused),
            (AssignmentEffect.SendUpdate send, AssignmentInput.ExchangeEnded ended) =>
                Do(new AssignmentEffect.RecordEnded(plan, send.Update, ended.Reason)),
            (AssignmentEffect.RecordEnded ended, AssignmentInput.Recorded) => Decline(ended.Reason),
            (AssignmentEffect.RecordChanged, AssignmentInput.Recorded) => Decline(DropReason.TrainerFault),
            (AssignmentEffect.ClearNotice notice, AssignmentInput.NoticeCleared) => Do(new AssignmentEffect.SendNotice(plan, notice.Reason)),
            (AssignmentEffect.ClearNotice, AssignmentInput.NoticeRefused) => Leave(),
            (AssignmentEffect.SendNotice notice, AssignmentInput.Delivered) => Do(new AssignmentEffect.RecordNotice(plan, notice.Reason)),
            (AssignmentEffect.RecordNotice, AssignmentInput.Recorded) => Do(new AssignmentEffect.Cosign(plan)),
            (AssignmentEffect.Cosign, AssignmentInput.Cosigned or AssignmentInput.Broke) => Close(),
            (AssignmentEffect.Recall or AssignmentEffect.FetchModel or AssignmentEffect.Train or AssignmentEffect.ClearUpdate, AssignmentInput.Broke) =>
                Decline(DropReason.TrainerFault),
            // What was approved stays in the outbox; the coordinator asks again at the next attendance or closes the round without this site.
            (_, AssignmentInput.Broke) => Leave(),
            (_, AssignmentInput.ConnectionLost) => Wait(work with { Failures = work.Failures + 1 }, Backoff(work.Failures, LongestRetry)),
            // What is said of a failure is said again, and not after another training.
            (AssignmentEffect.ClearNotice or AssignmentEffect.RecordNotice, AssignmentInput.StorageFailed) => Wait(work, StorageRetry),
            // From the start: what was approved is recalled, everything else is done again.
            (_, AssignmentInput.StorageFailed) => Wait(work with { Doing = FirstStep(work.Assigned), AwaitsReview = false }, StorageRetry),
            (_, AssignmentInput.WaitOver) => new(state, [work.Doing]),
            // The program stops; the coordinator assigns the round again when it is back.
            (_, AssignmentInput.Stopped) => Stay(state),
            _ => throw new InvalidOperationException($"{work.Doing.GetType().Name} does not end with {input.GetType().Name}."),
        };

        AssignmentStep Do(AssignmentEffect.Work next) => new(state with { Current = work with { Doing = next, Failures = 0 } }, [next]);
        AssignmentStep Decline(DropReason reason) => Do(new AssignmentEffect.ClearNotice(plan, reason));
        AssignmentStep AwaitReview()
        {
            var notice = new AssignmentEffect.ClearNotice(plan, Reason: null);
            return new(state with { Current = work with { Doing = notice, Failures = 0, AwaitsReview = true } }, [notice]);
        }

        AssignmentStep Leave()
        {
            var cosign = new AssignmentEffect.Cosign(plan);
            return new(state with { Current = work with { Doing = cosign, Failures = 0, IsUnanswered = true } }, [cosign]);
        }

        AssignmentStep Close()
        {
            var left = work.AwaitsReview ? state with { InReview = state.InReview.Add(work.Assigned) } : state;
            if (!work.IsUnanswered) return BeginNext(left with { Unanswered = 0 });
            var (then, effects) = LeaveUnanswered(left);
            return BeginNext(then, [.. effects]);
        }

        AssignmentStep Wait(RoundInWork then, TimeSpan time) => new(state with { Current = then }, [new AssignmentEffect.Wait(plan, time)]);
    }

    /// <summary>The coordinator hands a round out again on a new connection: later and later, because it may not be for the clock but for a person to mend.</summary>
    private static AssignmentStep LeaveUnanswered(AssignmentState state) => new(
        state with { Unanswered = state.Unanswered + 1 }, [new AssignmentEffect.AttendAnew(Backoff(state.Unanswered, LongestUnanswered))]);

    /// <summary>Takes the next round up, once the effects given are done.</summary>
    private static AssignmentStep BeginNext(AssignmentState state, params ReadOnlySpan<AssignmentEffect> first)
    {
        if (state.Waiting is not [var next, .. var rest]) return new(state with { Current = null }, [.. first]);
        var work = new RoundInWork(next, FirstStep(next));
        return new(state with { Waiting = rest, Current = work }, [.. first, work.Doing]);
    }

    private static AssignmentEffect.Work FirstStep(AssignmentInput.RoundAssigned assigned) => assigned.Approved
        ? new AssignmentEffect.Recall(assigned.Plan)
        : new AssignmentEffect.ClearNotice(assigned.Plan, DropReason.PlanRefused);

    private static AssignmentState Hold(AssignmentState state, RunId run) =>
        state.Held.Contains(run) ? state : state with { Held = state.Held.Add(run) };

    private static TimeSpan Backoff(int failures, TimeSpan longest)
    {
        var wait = FirstRetry * Math.Pow(2, Math.Min(failures, 10));
        return wait < longest ? wait : longest;
    }

    private static AssignmentStep Stay(AssignmentState state) => new(state, []);
}

/// <summary>What a step gives.</summary>
/// <param name="State">The agent's state afterwards.</param>
/// <param name="Effects">What to do, in this order; a <see cref="AssignmentEffect.Work"/> is only begun, everything else done at once.</param>
public readonly record struct AssignmentStep(AssignmentState State, ImmutableArray<AssignmentEffect> Effects);

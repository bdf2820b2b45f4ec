using System.Collections.Immutable;
using FedSeg.Federation.Assignments;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Tests.Simulation;

/// <summary>The protocols that a simulation runs: the real ones, or real ones with one thing broken, to prove that the simulation would notice.</summary>
internal sealed record Mutant(string Breaks)
{
    public Func<RunState, RunInput, DateTimeOffset, RunStep> Run { get; private init; } = RunProtocol.Step;

    public Func<AssignmentState, AssignmentInput, AssignmentStep> Site { get; private init; } = AssignmentProtocol.Step;

    /// <summary>The intake calls an update stored that was only written.</summary>
    public bool SkipsFlush { get; private init; }

    /// <summary>Nothing is broken.</summary>
    public static Mutant None { get; } = new("");

    /// <summary>Nothing is broken, and what is said is noted.</summary>
    public static Mutant Watched(HashSet<Type> seen) => None with
    {
        Run = (state, input, at) => Note(RunProtocol.Step(state, input, at), step => step.Effects, input, seen),
        Site = (state, input) => Note(AssignmentProtocol.Step(state, input), step => step.Effects, input, seen),
    };

    public static IReadOnlyDictionary<string, Mutant> All { get; } = new Dictionary<string, Mutant>
    {
        ["AcknowledgesBeforeItPersists"] = new("I1") { Run = AcknowledgeFirst },
        ["AcknowledgesWhatIsNotFlushed"] = new("I1") { SkipsFlush = true },
        ["CountsASecondUpdateOfASite"] = new("I1") { Run = CountTwice },
        ["PublishesAnotherModelAfterACrash"] = new("I2") { Run = CloseAgain },
        ["SendsWithoutTheGate"] = new("I3") { Site = SkipGate },
        ["ForgetsWhatCameWhileItMerged"] = new("I4") { Run = ForgetLate },
        ["ForgetsAFingerprintThatCameWhileItPlanned"] = new("I4") { Run = ForgetLateFingerprint },
        ["TrainsWhatWasNotApproved"] = new("I6") { Site = ApproveAll },
        ["ForgetsTheDeadline"] = new("I7") { Run = ForgetDeadline },
        ["NeverGivesUpAMerge"] = new("I7") { Run = MergeForEver },
        ["TakesBusyForDead"] = new("I8") { Run = ForgetWhoIsBusy },
        ["FreesNoSite"] = new("I7") { Run = ReleaseNobody },
    };

    private static TStep Note<TStep>(TStep step, Func<TStep, IEnumerable<object>> effects, object input, HashSet<Type> seen)
    {
        seen.Add(input.GetType());
        foreach (var effect in effects(step)) seen.Add(effect.GetType());
        return step;
    }

    private static RunStep AcknowledgeFirst(RunState state, RunInput input, DateTimeOffset at)
    {
        var (after, effects) = RunProtocol.Step(state, input, at);
        return new(after, [.. effects.Where(effect => effect is RunEffect.Answer), .. effects.Where(effect => effect is not RunEffect.Answer)]);
    }

    private static RunStep CountTwice(RunState state, RunInput input, DateTimeOffset at)
    {
        var step = RunProtocol.Step(state, input, at);
        if (input is not RunInput.Stored stored || step.Effects is not [.., RunEffect.Answer { Outcome: UploadOutcome.Accepted }]) return step;
        if (step.Effects.Any(effect => effect is RunEffect.Append)) return step;
        var again = new RunEvent.UpdateAccepted { At = at, Report = stored.Report, Digest = stored.Digest, Weights = stored.Weights, Signature = "" };
        return step with { Effects = [new RunEffect.Append(again), .. step.Effects] };
    }

    private static RunStep CloseAgain(RunState state, RunInput input, DateTimeOffset at)
    {
        if (input is not RunInput.Resumed || state.OpenRound is not null || state.Rounds is not [.., { Model: { } model } last]) return RunProtocol.Step(state, input, at);
        var another = new RunEvent.RoundClosed { At = at, Round = last.Plan.Round, Model = model with { Sha256 = Simulation.Digest("another", model.Sha256.ToString()) } };
        return new(state, [new RunEffect.Append(another)]);
    }

    private static RunStep ForgetLate(RunState state, RunInput input, DateTimeOffset at) =>
        input is RunInput.Merged merged && state.OpenRound is { } open
            ? RunProtocol.Step(state, merged with { Round = open }, at)
            : RunProtocol.Step(state, input, at);

    private static RunStep ForgetLateFingerprint(RunState state, RunInput input, DateTimeOffset at) =>
        input is RunInput.Planned planned && state.OpenRound is { } open
            ? RunProtocol.Step(state, planned with { Round = open }, at)
            : RunProtocol.Step(state, input, at);

    private static RunStep ForgetDeadline(RunState state, RunInput input, DateTimeOffset at) =>
        RunProtocol.Step(state, input is RunInput.Continued ? new RunInput.Continued() : input, at);

    private static RunStep MergeForEver(RunState state, RunInput input, DateTimeOffset at) =>
        RunProtocol.Step(state, input is RunInput.MergeTurn turn ? turn with { WasPutOff = true } : input, at);

    private static RunStep ForgetWhoIsBusy(RunState state, RunInput input, DateTimeOffset at) =>
        RunProtocol.Step(
            state, input is RunInput.Continued seen ? new RunInput.Continued { OpenFor = seen.OpenFor, Attending = seen.Attending } : input, at);

    private static RunStep ReleaseNobody(RunState state, RunInput input, DateTimeOffset at)
    {
        var (after, effects) = RunProtocol.Step(state, input, at);
        return new(after, [.. effects.Where(effect => effect is not RunEffect.Release)]);
    }

    private static AssignmentStep SkipGate(AssignmentState state, AssignmentInput input)
    {
        if (state.Current is not { Doing: AssignmentEffect.Train } work || input is not AssignmentInput.Trained trained) return AssignmentProtocol.Step(state, input);
        AssignmentEffect.Work send = new AssignmentEffect.SendUpdate(work.Doing.Plan, Simulation.Digest("update", trained.Update.WeightsPath!));
        return new(state with { Current = work with { Doing = send } }, [send]);
    }

    private static AssignmentStep ApproveAll(AssignmentState state, AssignmentInput input) =>
        AssignmentProtocol.Step(state, input is AssignmentInput.RoundAssigned assigned ? assigned with { Approved = true } : input);
}

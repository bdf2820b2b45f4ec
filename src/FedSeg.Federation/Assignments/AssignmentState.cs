using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Assignments;

/// <summary>What a site's agent is doing. It is rebuilt from the coordinator's assignments and the site's ledger after a restart.</summary>
public sealed record AssignmentState
{
    public static AssignmentState Idle { get; } = new();

    /// <summary>The round being worked on.</summary>
    public RoundInWork? Current { get; init; }

    /// <summary>Rounds that wait, in the order they were assigned.</summary>
    public ImmutableArray<AssignmentInput.RoundAssigned> Waiting { get; init; } = [];

    /// <summary>Rounds about which a person of the site has to decide.</summary>
    public ImmutableArray<AssignmentInput.RoundAssigned> InReview { get; init; } = [];

    /// <summary>Runs of which the site may still hold something, to be told when they are over.</summary>
    public ImmutableArray<RunId> Held { get; init; } = [];

    /// <summary>How many rounds in a row were left without an answer.</summary>
    public int Unanswered { get; init; }

    /// <summary>Rounds that it works on or will go on with by itself.</summary>
    public IEnumerable<(RunId Run, int Round)> InHand =>
        (Current is { } work ? Waiting.Prepend(work.Assigned) : Waiting).Select(assigned => (assigned.Plan.Run, assigned.Plan.Round));

    /// <summary>Whether the round waits or is being worked on.</summary>
    public bool Has(RoundPlan plan) => IsSame(Current?.Assigned.Plan, plan) || Waiting.Any(waiting => IsSame(waiting.Plan, plan));

    private static bool IsSame(RoundPlan? one, RoundPlan other) => one?.Run == other.Run && one.Round == other.Round;
}

/// <summary>A round in work.</summary>
/// <param name="Assigned">As it was assigned.</param>
/// <param name="Doing">The step under way, or to be done again once a wait is over.</param>
public sealed record RoundInWork(AssignmentInput.RoundAssigned Assigned, AssignmentEffect.Work Doing)
{
    /// <summary>How often in a row the step lost its connection.</summary>
    public int Failures { get; init; }

    /// <summary>Whether the coordinator knows nothing of what became of it, so that it has to be handed out again.</summary>
    public bool IsUnanswered { get; init; }

    /// <summary>Whether a person has to decide before the round goes on.</summary>
    public bool AwaitsReview { get; init; }

    /// <summary>Whether the run ended meanwhile or the kill switch was thrown, so that whatever the step brings is dropped.</summary>
    public bool IsStopping { get; init; }

    /// <summary>Whether the kill switch alone stops it: the run may go on.</summary>
    public bool IsHalted { get; init; }
}

using System.Collections.Immutable;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Charters;

/// <summary>A site's standing approval of plans: what stays within these bounds is trained without asking a person.</summary>
public sealed record PlanBounds
{
    public required int MaximumRounds { get; init; }

    public required int MaximumStepsPerRound { get; init; }

    /// <summary>Most numbers of a network.</summary>
    public required long MaximumParameters { get; init; }

    /// <summary>Labels that may be trained; empty for all that this site declares.</summary>
    public ImmutableArray<string> Labels { get; init; } = [];

    /// <summary>Networks that may be trained; empty for all that this agent knows.</summary>
    public ImmutableArray<string> Networks { get; init; } = [];

    /// <summary>Whether only blind runs may, in which the coordinator sees no site's change by itself.</summary>
    public bool BlindOnly { get; init; }

    /// <summary>Whether a run may have the cohort's fingerprint, counts of shapes, spacings and intensities, to plan its network by.</summary>
    public bool Fingerprints { get; init; }

    /// <summary>Where a plan leaves the bounds, in words; empty when it does not.</summary>
    public IReadOnlyList<string> Problems(RoundPlan plan)
    {
        var problems = new List<string>();
        if (plan.TotalRounds > MaximumRounds) problems.Add($"{plan.TotalRounds} rounds; {MaximumRounds} are approved");
        if (plan.Recipe.StepsPerRound > MaximumStepsPerRound) problems.Add($"{plan.Recipe.StepsPerRound} steps in a round; {MaximumStepsPerRound} are approved");
        // The network that a fingerprint leads to has terms of its own.
        if (plan.Task == RoundTask.Fingerprint && !Fingerprints) problems.Add("a fingerprint of the cohort; none is approved");
        var parameters = plan.Task == RoundTask.Fingerprint ? 0 : plan.Manifest().ParameterCount;
        if (parameters > MaximumParameters) problems.Add($"a network of {parameters} numbers; {MaximumParameters} are approved");
        if (Labels.Length > 0 && plan.Labels.Any(label => !Labels.Contains(label, StringComparer.OrdinalIgnoreCase))) problems.Add("labels beyond the approved ones");
        if (plan.Task != RoundTask.Fingerprint && Networks.Length > 0 && !Networks.Contains(plan.Architecture.Name))
        {
            problems.Add($"a network '{plan.Architecture.Name}'; approved: {string.Join(", ", Networks)}");
        }

        if (BlindOnly && plan.Blind is null) problems.Add("an inspectable run; only blind ones are approved");
        return problems;
    }
}

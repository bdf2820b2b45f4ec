namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// FedNova (Wang et al. 2020, "Tackling the objective inconsistency problem", eq. 6): each update is divided by ‖aₖ‖₁, for plain SGD its
/// optimiser steps, the mean weighted by training cases multiplied by the effective number τ = Σ pₖ τₖ, so a site that makes more steps
/// does not pull the model further. With equal steps it is federated averaging.
/// </summary>
public sealed record NormalizedMean : CombineRule
{
    public override string Describe() => "fednova";

    internal override string? Refuse(IReadOnlyCollection<Contribution> contributions) =>
        contributions.Any(contribution => contribution.Steps < 1) ? "fednova needs at least one optimiser step of every site" : null;

    internal override Combination Plan(BoundedUpdates updates)
    {
        var total = updates.Contributions.Sum(contribution => contribution.Weight);
        var effectiveSteps = updates.Contributions.Sum(contribution => contribution.Weight / total * contribution.Steps);
        var coefficients = updates.Contributions.Select(contribution => effectiveSteps * (contribution.Weight / total) / contribution.Steps);
        return new LinearCombination(updates, [.. coefficients]);
    }
}

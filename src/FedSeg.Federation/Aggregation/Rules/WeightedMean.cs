namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// Σ nₖ Δₖ / Σ n, weighted by training cases: federated averaging (McMahan et al. 2017, algorithm 1, rewritten for updates).
/// </summary>
public sealed record WeightedMean : CombineRule
{
    public override string Describe() => "the weighted mean";

    internal override Combination Plan(BoundedUpdates updates)
    {
        var total = updates.Contributions.Sum(contribution => contribution.Weight);
        return new LinearCombination(updates, [.. updates.Contributions.Select(contribution => contribution.Weight / total)]);
    }
}

namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// The median of every weight by itself, each site counting once whatever its cases; the mean of the two middle values for an even number
/// (Yin et al. 2018, "Byzantine-robust distributed learning", definition 1).
/// </summary>
/// <param name="Byzantine">
/// Sites that may be hostile: fewer than half of those that answer. Only checked; the median withstands any minority.
/// </param>
public sealed record CoordinateMedian(int Byzantine) : CombineRule
{
    public override int FewestUpdates => 2 * Byzantine + 1;

    public override string Describe() => $"median with byzantine {Byzantine}";

    internal override Combination Plan(BoundedUpdates updates) => new MiddleMean(updates, (updates.Count - 1) / 2);
}

namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// For every weight by itself the mean without the largest and the smallest values, each site counting once whatever its cases (Yin et al.
/// 2018, definition 2).
/// </summary>
/// <param name="Fraction">Share of the values left out on each side, rounded down to whole values; below one half.</param>
/// <param name="Byzantine">Values left out on each side, instead of a share: as many as there may be hostile sites.</param>
public sealed record TrimmedMean(double Fraction, int? Byzantine) : CombineRule
{
    public override int FewestUpdates => Byzantine is { } hostile ? 2 * hostile + 1 : 1;

    public override string Describe() =>
        Byzantine is { } hostile ? $"trimmedmean with byzantine {hostile}" : $"trimmedmean with trim {Fraction}";

    internal override Combination Plan(BoundedUpdates updates) => new MiddleMean(updates, Cut(updates.Count));

    /// <summary>
    /// Values left out on each side of <paramref name="count"/>. A share such as 0.29 of 100 must not lose one to its binary rounding.
    /// </summary>
    private int Cut(int count) => Byzantine ?? (int)Math.Floor(Fraction * count + 1e-9);
}

using System.Collections.Immutable;

namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// Krum and Multi-Krum (Blanchard et al. 2017, "Machine learning with adversaries", section 4): an update's score is the sum of its squared
/// distances to the n − f − 2 nearest others; the plain mean of the updates with the best scores is taken, the first site in order on a
/// tie. Krum keeps one, Multi-Krum several. The paper's proof needs n ≥ 2f + 3; with fewer, but more than 2f, the single nearest neighbour
/// decides.
/// </summary>
/// <param name="Byzantine">Sites that may be hostile, f.</param>
/// <param name="Keep">Updates kept, 1 to n − f; absent for n − f.</param>
public sealed record Krum(int Byzantine, int? Keep) : CombineRule
{
    public override int FewestUpdates => Math.Max(2 * Byzantine + 1, Byzantine + (Keep ?? 1));

    public override int FewestForGuarantee => Math.Max(2 * Byzantine + 3, FewestUpdates);

    public override string Describe() => Keep switch
    {
        1 => $"krum with byzantine {Byzantine}",
        null => $"multikrum with byzantine {Byzantine}",
        _ => $"multikrum with byzantine {Byzantine} and keep {Keep}",
    };

    internal override Combination Plan(BoundedUpdates updates)
    {
        var kept = Select(updates.SquaredDistances(), Keep ?? updates.Count - Byzantine);
        return new LinearCombination(updates, [.. Enumerable.Range(0, updates.Count).Select(k => kept.Contains(k) ? 1.0 / kept.Length : 0)]);
    }

    private ImmutableArray<int> Select(double[,] distances, int keep)
    {
        var all = Enumerable.Range(0, distances.GetLength(0)).ToArray();
        var scores = KrumScores.Of(distances, all, Byzantine);
        return [.. all.OrderBy(k => scores[k]).Take(keep)];
    }
}

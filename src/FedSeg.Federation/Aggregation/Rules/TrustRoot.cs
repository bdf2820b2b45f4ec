using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// FLTrust (Cao et al. 2021, "Byzantine-robust federated learning via trust bootstrapping", algorithm 2): one trusted update, made on a
/// small clean root set, is the measure of the others. Each other update is scaled to the root's norm and weighted by max(0, cosine with
/// the root); the root itself is not averaged. The coordinator sees no images, so the root set belongs to a site: an agent that the
/// coordinator's institution runs beside it. When no update points the root's way the model stays as it is.
/// </summary>
/// <param name="Root">The site that holds the root set; its update must be there.</param>
public sealed record TrustRoot(SiteId Root) : CombineRule
{
    public override int FewestUpdates => 2;

    public override string Describe() => "fltrust";

    internal override string? Refuse(IReadOnlyCollection<Contribution> contributions) =>
        contributions.Any(contribution => contribution.Site == Root) ? null : $"fltrust needs the update of its root site '{Root}'";

    internal override Combination Plan(BoundedUpdates updates)
    {
        var root = updates.Contributions.Select(contribution => contribution.Site).ToList().IndexOf(Root);
        var norms = updates.Norms();
        var dots = updates.Dots(root);
        var trust = new double[updates.Count];
        for (var k = 0; k < trust.Length; k++)
        {
            if (k != root && norms[k] > 0 && norms[root] > 0) trust[k] = Math.Max(0, dots[k] / (norms[k] * norms[root]));
        }

        var total = trust.Sum();
        return new LinearCombination(updates, [.. trust.Select((score, k) => score > 0 ? score / total * (norms[root] / norms[k]) : 0)]);
    }
}

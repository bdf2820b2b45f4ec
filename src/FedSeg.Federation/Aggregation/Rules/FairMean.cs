namespace FedSeg.Federation.Aggregation.Rules;

/// <summary>
/// q-FedAvg (Li et al. 2020, "Fair resource allocation in federated learning", algorithm 2): sites with a higher loss count more, the more
/// so the larger q. Δ = Σ Fₖ^q L Δₖ / Σ (q Fₖ^(q−1) L² ‖Δₖ‖² + L Fₖ^q) with L = 1 / learning rate. Case counts play no part; q = 0 is the
/// plain mean. As in the authors' code, 1e-10 is added to every loss.
/// </summary>
/// <param name="Q">Fairness, 0 to 20; 0.2 by default.</param>
/// <param name="LearningRate">The sites' learning rate, the reciprocal of the Lipschitz estimate L; 0.1 by default.</param>
public sealed record FairMean(double Q, double LearningRate) : CombineRule
{
    private const double SmallestLoss = 1e-10;

    public override string Describe() => "qfedavg";

    internal override string? Refuse(IReadOnlyCollection<Contribution> contributions) =>
        contributions.Any(contribution => contribution.Loss is not { } loss || !double.IsFinite(loss) || loss < 0)
            ? "qfedavg needs a finite loss of at least 0 of every site"
            : null;

    internal override Combination Plan(BoundedUpdates updates)
    {
        var lipschitz = 1 / LearningRate;
        var norms = updates.Norms();
        var fair = updates.Contributions.Select(contribution => PortableMath.Power(contribution.Loss!.Value + SmallestLoss, Q)).ToArray();
        var denominator = 0.0;
        for (var k = 0; k < fair.Length; k++)
        {
            var gradientNorm = lipschitz * norms[k];
            var loss = updates.Contributions[k].Loss!.Value + SmallestLoss;
            denominator += Q * fair[k] / loss * gradientNorm * gradientNorm + lipschitz * fair[k];
        }

        return new LinearCombination(updates, [.. fair.Select(weight => weight * lipschitz / denominator)]);
    }
}

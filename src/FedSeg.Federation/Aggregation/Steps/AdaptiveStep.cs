using System.Collections.Immutable;

namespace FedSeg.Federation.Aggregation.Steps;

/// <summary>
/// FedAdagrad, FedAdam and FedYogi (Reddi et al. 2021, "Adaptive federated optimization", algorithm 2): m ← β₁ m + (1 − β₁) Δ, v by <see
/// cref="Kind"/>, x ← x + η m / (√v + τ). State starts at zero, not at the paper's τ². The paper has no bias correction; what is corrected
/// here is said by <see cref="Correction"/>.
/// </summary>
/// <param name="Rate">η.</param>
/// <param name="Kind">How v follows Δ².</param>
/// <param name="Beta1">Decay of m, 0 to below 1.</param>
/// <param name="Beta2">Decay of v, 0 to below 1; Adagrad has none.</param>
/// <param name="Tau">Adaptivity floor, above 0.</param>
/// <param name="Correction">What makes up for the zero start.</param>
public sealed record AdaptiveStep(
    double Rate, SecondMomentRule Kind, double Beta1, double Beta2, double Tau, BiasCorrection Correction) : ServerStep(Rate)
{
    public override ImmutableArray<StatePart> StateParts => [StatePart.Momentum, StatePart.SecondMoment];

    internal override void Apply(int round, StepChunk chunk)
    {
        var model = chunk.Model;
        var change = chunk.Change;
        var first = chunk.State(StatePart.Momentum);
        var second = chunk.State(StatePart.SecondMoment);
        var (rate, firstMass, secondMass) = Corrected(round);
        for (var i = 0; i < model.Length; i++)
        {
            var squared = change[i] * change[i];
            first[i] = Beta1 * first[i] + (1 - Beta1) * change[i];
            second[i] = Kind switch
            {
                SecondMomentRule.Adagrad => second[i] + squared,
                SecondMomentRule.Adam => Beta2 * second[i] + (1 - Beta2) * squared,
                _ => second[i] - (1 - Beta2) * squared * Math.Sign(second[i] - squared),
            };
            model[i] += rate * (first[i] / firstMass) / (Math.Sqrt(second[i] / secondMass) + Tau);
        }
    }

    private (double Rate, double FirstMass, double SecondMass) Corrected(int round) => Correction switch
    {
        BiasCorrection.NextRound => (Rate * Math.Sqrt(Mass(Beta2, round + 1)) / Mass(Beta1, round + 1), 1, 1),
        BiasCorrection.Unbiased => (Rate, Mass(Beta1, round), Mass(Beta2, round)),
        _ => (Rate, 1, 1),
    };

    /// <summary>What the weights of a decaying mean that started at zero add up to.</summary>
    private static double Mass(double beta, int round) => 1 - PortableMath.Power(beta, round);
}

/// <summary>How the second moment v follows the squared change.</summary>
public enum SecondMomentRule
{
    /// <summary>v ← v + Δ².</summary>
    Adagrad,

    /// <summary>v ← β₂ v + (1 − β₂) Δ².</summary>
    Adam,

    /// <summary>v ← v − (1 − β₂) Δ² sign(v − Δ²) (Zaheer et al. 2018).</summary>
    Yogi,
}

/// <summary>What makes up for moments that start at zero. Frameworks differ, so a job says which it means.</summary>
public enum BiasCorrection
{
    /// <summary>Nothing, as in Reddi et al. 2021.</summary>
    None,

    /// <summary>m / (1 − β₁ᵗ) and v / (1 − β₂ᵗ) in round t, τ added after (Kingma and Ba 2015, algorithm 1).</summary>
    Unbiased,

    /// <summary>η √(1 − β₂ᵗ⁺¹) / (1 − β₁ᵗ⁺¹) in round t, τ not corrected: Flower's FedAdam.</summary>
    NextRound,
}

using System.Collections.Immutable;

namespace FedSeg.Federation.Aggregation.Steps;

/// <summary>
/// FedAvgM (Hsu et al. 2019, "Measuring the effects of non-identical data distribution"): v ← β v + Δ, x ← x + η v. No dampening, not
/// Nesterov.
/// </summary>
/// <param name="Rate">η; 1 by default.</param>
/// <param name="Momentum">β; 0.9 by default.</param>
public sealed record MomentumStep(double Rate, double Momentum) : ServerStep(Rate)
{
    public override ImmutableArray<StatePart> StateParts => [StatePart.Momentum];

    internal override void Apply(int round, StepChunk chunk)
    {
        var model = chunk.Model;
        var change = chunk.Change;
        var velocity = chunk.State(StatePart.Momentum);
        for (var i = 0; i < model.Length; i++)
        {
            velocity[i] = Momentum * velocity[i] + change[i];
            model[i] += Rate * velocity[i];
        }
    }
}

namespace FedSeg.Federation.Aggregation.Steps;

/// <summary>x ← x + η Δ. With η = 1, the default, the change is taken as it is.</summary>
public sealed record PlainStep(double Rate) : ServerStep(Rate)
{
    internal override void Apply(int round, StepChunk chunk)
    {
        var model = chunk.Model;
        var change = chunk.Change;
        for (var i = 0; i < model.Length; i++) model[i] += Rate * change[i];
    }
}

using System.Collections.Immutable;
using System.Text.Json.Serialization;
using FedSeg.Federation.Aggregation.Steps;

namespace FedSeg.Federation.Aggregation;

/// <summary>How the combined change moves the model. Closed: these steps and no others.</summary>
/// <param name="Rate">The server's learning rate.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "step")]
[JsonDerivedType(typeof(PlainStep), "plain")]
[JsonDerivedType(typeof(MomentumStep), "momentum")]
[JsonDerivedType(typeof(AdaptiveStep), "adaptive")]
public abstract record ServerStep(double Rate)
{
    /// <summary>What the server remembers from round to round; as long as the model, zero before the first round.</summary>
    public virtual ImmutableArray<StatePart> StateParts => [];

    /// <summary>Turns the chunk's base weights into the next model's, and its state into the next round's.</summary>
    /// <param name="round">1 for the first.</param>
    /// <param name="chunk">Weights, change and state.</param>
    internal abstract void Apply(int round, StepChunk chunk);
}

/// <summary>A vector the server keeps between rounds, stored beside the model.</summary>
public enum StatePart
{
    /// <summary>The running mean of the changes.</summary>
    Momentum,

    /// <summary>The running mean (or sum) of their squares.</summary>
    SecondMoment,

    /// <summary>SCAFFOLD's control variate c, kept by <see cref="ScaffoldControl"/> whatever the step.</summary>
    Control,
}

using System.Text.Json.Serialization;
using FedSeg.Federation.Aggregation.Rules;

namespace FedSeg.Federation.Aggregation;

/// <summary>How a round's updates become one change of the weights. Closed: these rules and no others.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "rule")]
[JsonDerivedType(typeof(WeightedMean), "weightedMean")]
[JsonDerivedType(typeof(NormalizedMean), "normalizedMean")]
[JsonDerivedType(typeof(FairMean), "fairMean")]
[JsonDerivedType(typeof(CoordinateMedian), "coordinateMedian")]
[JsonDerivedType(typeof(TrimmedMean), "trimmedMean")]
[JsonDerivedType(typeof(Krum), "krum")]
[JsonDerivedType(typeof(Bulyan), "bulyan")]
[JsonDerivedType(typeof(TrustRoot), "trustRoot")]
public abstract record CombineRule
{
    private protected CombineRule()
    {
    }

    /// <summary>Fewest updates with which the rule means anything.</summary>
    public virtual int FewestUpdates => 1;

    /// <summary>Fewest updates with which the rule keeps what its paper promises; a job must ask for so many answers a round.</summary>
    public virtual int FewestForGuarantee => FewestUpdates;

    /// <summary>Name and parameters, for a message.</summary>
    public abstract string Describe();

    /// <summary>What else is wrong with these contributions, their number being sufficient.</summary>
    internal virtual string? Refuse(IReadOnlyCollection<Contribution> contributions) => null;

    /// <summary>Looks at whole updates as far as the rule has to, and says how elements are combined.</summary>
    internal abstract Combination Plan(BoundedUpdates updates);
}

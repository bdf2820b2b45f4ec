using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Aggregation;

/// <summary>What one site brings to a round.</summary>
public sealed record Contribution
{
    public required SiteId Site { get; init; }

    /// <summary>Trained minus base weights.</summary>
    public required IWeightSource Update { get; init; }

    /// <summary>Training cases; at least 0, and more than 0 over all sites together.</summary>
    public required double Weight { get; init; }

    /// <summary>
    /// How far gradients of length 1 would have gone at a learning rate of 1: the optimiser's steps, for plain SGD; at least 1. Only FedNova asks.
    /// </summary>
    public double Steps { get; init; } = 1;

    /// <summary>The site's loss, at least 0; only q-FedAvg asks.</summary>
    public double? Loss { get; init; }
}

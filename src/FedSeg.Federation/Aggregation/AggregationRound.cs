using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Aggregation;

/// <summary>Everything that goes into the next model; the same round gives the same bits on any machine.</summary>
public sealed record AggregationRound
{
    /// <summary>1 for the first round; bias correction counts with it.</summary>
    public required int Number { get; init; }

    /// <summary>The model the updates were made against.</summary>
    public required IWeightSource Base { get; init; }

    /// <summary>At least one, in any order; a site counts once.</summary>
    public required IReadOnlyList<Contribution> Contributions { get; init; }

    /// <summary>The server's state as the round before left it; a part that is absent is zero.</summary>
    public IReadOnlyDictionary<StatePart, IWeightSource> State { get; init; } = ImmutableDictionary<StatePart, IWeightSource>.Empty;

    /// <summary>Norms of the updates of earlier rounds, at most those of the last <see cref="NormBound.HistoryRounds"/>.</summary>
    public IReadOnlyList<double> PastNorms { get; init; } = [];
}

/// <summary>Where the results go.</summary>
/// <param name="Model">Receives the next model.</param>
/// <param name="State">Receives the server's state: one sink for each of <see cref="ServerStep.StateParts"/>.</param>
public sealed record AggregationOutput(IWeightSink Model, IReadOnlyDictionary<StatePart, IWeightSink> State);

/// <summary>What was seen on the way.</summary>
/// <param name="Norms">Each update's L2 norm before shortening; empty when the strategy bounds none.</param>
public sealed record AggregationSummary(ImmutableSortedDictionary<SiteId, double> Norms);

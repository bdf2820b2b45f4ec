using System.Collections.Immutable;
using FedSeg.Federation.Identity;
using FedSeg.Federation.Weights;

namespace FedSeg.Federation.Aggregation;

/// <summary>
/// Makes the next global model from a round's updates. Works chunk by chunk, sites in ordinal order, in double, rounded to float32 once by
/// the file that receives it: the same round gives the same bits on any machine, and memory is a few chunks however many sites and however
/// large the model. A rule that has to see whole updates first (norms, distances) reads them once more before.
/// </summary>
public static class Aggregator
{
    /// <summary>Merges one round.</summary>
    /// <exception cref="AggregationException">The contributions don't fit the strategy, or a number is not finite.</exception>
    /// <exception cref="ArgumentException">A site contributes twice, or with other tensors than the model's.</exception>
    public static AggregationSummary Run(
        AggregationSpec spec, AggregationRound round, AggregationOutput output, CancellationToken cancellationToken)
    {
        ImmutableArray<Contribution> contributions = [.. round.Contributions.OrderBy(contribution => contribution.Site)];
        Check(spec, round, contributions);
        contributions = spec.Limit(contributions);
        // Most sites of a round may have stated none.
        if (!(contributions.Sum(contribution => contribution.Weight) > 0)) throw new AggregationException("No update has a weight above 0.");

        var (norms, scales) = Bound(spec, round, contributions, cancellationToken);
        var updates = new BoundedUpdates(contributions, scales, cancellationToken);
        var combination = spec.Rule.Plan(updates);
        var length = round.Base.Length;
        var chunk = new StepChunk(spec.Step.StateParts, (int)Math.Min(combination.ChunkLength, length));
        for (var start = 0L; start < length; start += combination.ChunkLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            chunk.Resize((int)Math.Min(combination.ChunkLength, length - start));
            combination.Combine(start, chunk.Change);
            RefuseUnlessFinite(chunk.Change, "The combined update is not finite: an update is not, or is far too large.");
            chunk.Load(round, start);
            spec.Step.Apply(round.Number, chunk);
            RefuseUnlessFinite(chunk.Model, "The merged model does not fit float32: an update, or the server's learning rate, is far too large.");
            chunk.Store(output);
        }

        return new AggregationSummary(norms);
    }

    private static void Check(AggregationSpec spec, AggregationRound round, ImmutableArray<Contribution> contributions)
    {
        if (contributions.DistinctBy(contribution => contribution.Site).Count() != contributions.Length)
        {
            throw new ArgumentException("A site may count only once.", nameof(round));
        }

        if (contributions.Any(contribution => contribution.Update.Length != round.Base.Length))
        {
            throw new ArgumentException("An update has other tensors than the model.", nameof(round));
        }

        if (contributions.Any(contribution => !double.IsFinite(contribution.Weight) || contribution.Weight < 0))
        {
            throw new AggregationException("A weight is negative or not finite.");
        }

        var total = contributions.Sum(contribution => contribution.Weight);
        if (!(total > 0)) throw new AggregationException("No update has a weight above 0.");
        if (spec.Refuse(contributions) is { } reason) throw new AggregationException(reason);
    }

    private static (ImmutableSortedDictionary<SiteId, double> Norms, double[] Scales) Bound(
        AggregationSpec spec, AggregationRound round, ImmutableArray<Contribution> contributions, CancellationToken cancellationToken)
    {
        var unbounded = Enumerable.Repeat(1.0, contributions.Length).ToArray();
        if (spec.Bound is not { } bound) return (ImmutableSortedDictionary<SiteId, double>.Empty, unbounded);

        var norms = new BoundedUpdates(contributions, unbounded, cancellationToken).Norms();
        var bySite = contributions.Zip(norms).ToImmutableSortedDictionary(pair => pair.First.Site, pair => pair.Second);
        return (bySite, bound.Scales(norms, round.PastNorms));
    }

    private static void RefuseUnlessFinite(ReadOnlySpan<double> values, string reason)
    {
        Span<float> narrowed = stackalloc float[1 << 10];
        while (values.Length > 0)
        {
            var piece = narrowed[..Math.Min(values.Length, narrowed.Length)];
            FloatWidths.Narrow(values[..piece.Length], piece);
            if (FiniteValues.IndexOfNonFinite(piece) >= 0) throw new AggregationException(reason);
            values = values[piece.Length..];
        }
    }
}

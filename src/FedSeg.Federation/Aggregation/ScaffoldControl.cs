namespace FedSeg.Federation.Aggregation;

/// <summary>
/// The server's side of SCAFFOLD (Karimireddy et al. 2020, algorithm 1, lines 16 and 17). Its model moves like federated averaging's (line
/// 16: any
/// <see cref="ServerStep"/> with rate η_g); its control variate c moves by the mean change of the sites' own, each site counting once:
/// c ← c + Σ Δcᵢ / N, N counting the sites that were away too.
/// </summary>
public static class ScaffoldControl
{
    /// <summary>Writes the next control variate.</summary>
    /// <param name="control">The present one; zero before the first round.</param>
    /// <param name="changes">What each answering site changed its own control variate by; their case counts play no part.</param>
    /// <param name="sites">N: all sites of the run.</param>
    /// <param name="next">Receives the next one.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static void Update(
        IWeightSource control, IReadOnlyList<Contribution> changes, int sites, IWeightSink next, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(changes.Count, sites);
        var mean = new LinearCombination(
            new BoundedUpdates([.. changes.OrderBy(change => change.Site)], [.. changes.Select(_ => 1.0)], cancellationToken),
            [.. changes.Select(_ => 1.0 / sites)]);
        var (value, change) = (new double[mean.ChunkLength], new double[mean.ChunkLength]);
        for (var start = 0L; start < control.Length; start += mean.ChunkLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = (int)Math.Min(mean.ChunkLength, control.Length - start);
            control.Read(start, value.AsSpan(0, length));
            mean.Combine(start, change.AsSpan(0, length));
            for (var i = 0; i < length; i++) value[i] += change[i];
            next.Write(value.AsSpan(0, length));
        }
    }
}

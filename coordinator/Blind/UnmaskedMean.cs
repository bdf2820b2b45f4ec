using FedSeg.Coordinator.Models;
using FedSeg.Federation.Aggregation;
using FedSeg.Federation.Rounds;
using FedSeg.SecureAggregation.Masking;

namespace FedSeg.Coordinator.Blind;

/// <summary>
/// The weighted mean of a blind round's updates: the sites' masked words are summed chunk by chunk, the masks that are left taken off, and
/// the levels brought back to
/// values. The sum is exact, so it is the one that plain updates on the same grid would have given, bit for bit. Memory is a few chunks,
/// whatever the number of sites.
/// </summary>
internal sealed class UnmaskedMean : IWeightSource, IDisposable
{
    private readonly List<FileStream> _updates = [];
    private readonly MaskSet _masks;
    private readonly MaskedChunk _chunk;
    private readonly double _value;
    private readonly byte[] _packed = new byte[MaskSet.ChunkWords * Words24.BytesPerWord];
    private readonly double[] _mean = new double[MaskSet.ChunkWords];
    private long _current = -1;

    /// <param name="paths">The masked updates, each <paramref name="length"/> packed words.</param>
    /// <param name="length">Elements of all tensors together.</param>
    /// <param name="masks">What is left in the sum; disposed with this.</param>
    /// <param name="blind">The grid and the largest weight.</param>
    /// <param name="weight">The sum of the sites' weights.</param>
    private UnmaskedMean(IEnumerable<string> paths, long length, MaskSet masks, BlindSpec blind, double weight)
    {
        (Length, _masks, _chunk) = (length, masks, new MaskedChunk(masks));
        // Levels are summed first and scaled once: the order in which plain updates would have to be merged for the same bits.
        _value = blind.MaximumCases / weight;
        Step = Math.ScaleB(1, blind.GridExponent);
        foreach (var path in paths) _updates.Add(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0));
    }

    /// <summary>Opens the mean of a blind round, from its stored updates and messages.</summary>
    /// <returns>The caller's to dispose; <see langword="null"/> for an inspectable round.</returns>
    /// <exception cref="AggregationException">What is stored does not unmask them.</exception>
    public static UnmaskedMean? Of(BlobStore blobs, RoundState round)
    {
        if (round.Plan.Blind is not { } blind) return null;
        var weight = round.Accepted.Values.Sum(accepted => blind.CountedCases(accepted.Report.TrainingCases));
        if (weight == 0) throw new AggregationException("No update has a weight above 0.");
        var masks = StoredExchange.Recover(blobs.ExchangeOf(round.Plan), round.Plan, [.. round.Accepted.Keys]);
        var paths = round.Accepted.Values.Select(accepted => blobs.PathOf(accepted.Weights!.Sha256));
        return new UnmaskedMean(paths, round.Plan.UpdateManifest().All.ParameterCount, masks, blind, weight);
    }

    public long Length { get; }

    private double Step { get; }

    public void Read(long start, Span<double> destination)
    {
        while (destination.Length > 0)
        {
            var chunk = start / MaskSet.ChunkWords;
            if (chunk != _current) Load(chunk);
            var offset = (int)(start % MaskSet.ChunkWords);
            var count = Math.Min(destination.Length, MaskSet.ChunkWords - offset);
            _mean.AsSpan(offset, count).CopyTo(destination);
            start += count;
            destination = destination[count..];
        }
    }

    public void Dispose()
    {
        foreach (var update in _updates) update.Dispose();
        _masks.Dispose();
    }

    private void Load(long chunk)
    {
        var first = chunk * MaskSet.ChunkWords;
        var words = (int)Math.Min(MaskSet.ChunkWords, Length - first);
        var packed = _packed.AsSpan(0, words * Words24.BytesPerWord);
        _chunk.Begin(words);
        foreach (var update in _updates)
        {
            update.Position = first * Words24.BytesPerWord;
            update.ReadExactly(packed);
            _chunk.Add(packed);
        }

        var sum = _chunk.Unmask(chunk);
        for (var i = 0; i < words; i++) _mean[i] = Words24.ToLevel(sum[i]) * Step * _value;
        _current = chunk;
    }
}

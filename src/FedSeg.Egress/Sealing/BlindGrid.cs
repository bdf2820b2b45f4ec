using System.Security.Cryptography;
using FedSeg.Federation.Rounds;
using FedSeg.SecureAggregation.Masking;

namespace FedSeg.Egress.Sealing;

/// <summary>
/// Brings a site's change to the form in which a blind round sums it: scaled by the site's share of a full weight, clipped, and rounded to
/// the grid that all sites share.
/// That happens before the rules look at it, so they judge what will be summed, and nothing finer than the grid can leave.
/// </summary>
/// <param name="spec">The plan's.</param>
/// <param name="trainingCases">What the report says.</param>
/// <param name="random">Cryptographic, outside tests.</param>
internal sealed class BlindGrid(BlindSpec spec, int trainingCases, RandomNumberGenerator random)
{
    private readonly FixedGrid _grid = new(random);

    /// <summary>What the change was multiplied by.</summary>
    public double Scale { get; } = spec.ScaleOf(trainingCases);

    /// <summary>Scales, clips and rounds in place.</summary>
    /// <returns>Values that lay beyond the grid and were cut off.</returns>
    public long Round(Span<float> values) => _grid.Round(values, Scale, spec.GridExponent);
}

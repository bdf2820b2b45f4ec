using System.Collections.Immutable;
using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Rounds;

/// <summary>
/// How a round's updates are summed so that nobody sees one of them: every site masks its own, and only the sum comes out. All sites need
/// the same numbers, so they stand in the plan.
/// </summary>
public sealed record BlindSpec
{
    /// <summary>Fewest and most sites of a blind round.</summary>
    public const int FewestSites = 3, MostSites = 128;

    /// <summary>Largest and smallest step of the grid, as a power of two.</summary>
    public const int LargestExponent = 64, SmallestExponent = -100;

    /// <summary>Levels of the grid on each side of 0.</summary>
    public const int Levels = short.MaxValue;

    /// <summary>Bytes of a weight in a masked update: room for the sum of 16-bit levels of all sites.</summary>
    public const int BytesPerWeight = 3;

    /// <summary>Every site that is asked, in ordinal order. A site takes part only with those named here.</summary>
    public required ImmutableArray<SiteId> Sites { get; init; }

    /// <summary>
    /// Training cases from which on a site counts no more: its change is scaled by its cases over these before it is rounded.
    /// </summary>
    public required int MaximumCases { get; init; }

    /// <summary>Changes are rounded to steps of 2 to this power, and clipped at 32 767 of them.</summary>
    public required int GridExponent { get; init; }

    /// <summary>Sites that must be there to the end, ⌊2n/3⌋ + 1.</summary>
    public int Threshold => ThresholdOf(Sites.Length);

    /// <summary>The threshold of a number of sites: the bound of a malicious server (Bonawitz et al. 2017, section 6.2).</summary>
    public static int ThresholdOf(int sites) => 2 * sites / 3 + 1;

    /// <summary>The smallest grid that reaches to a magnitude.</summary>
    public static int ExponentFor(double range) =>
        Math.Clamp((int)Math.Ceiling(Math.Log2(range / Levels)), SmallestExponent, LargestExponent);

    /// <summary>A site's cases as they count in the mean.</summary>
    public int CountedCases(int trainingCases) => Math.Min(trainingCases, MaximumCases);

    /// <summary>What the change of a site is multiplied by before it is rounded: its share of a full weight.</summary>
    public double ScaleOf(int trainingCases) => (double)CountedCases(trainingCases) / MaximumCases;

    /// <summary>What is wrong with it, in words that hold nothing of it; <see langword="null"/> when nothing is.</summary>
    public string? Problem()
    {
        if (Sites.IsDefault || Sites.Length is < FewestSites or > MostSites) return $"a blind round has {FewestSites} to {MostSites} sites";
        if (Sites.Zip(Sites.Skip(1)).Any(pair => pair.First >= pair.Second)) return "a blind round's sites are not in order";
        if (MaximumCases is < 1 or > 1_000_000) return "a blind round's largest number of cases is out of bounds";
        return GridExponent is < SmallestExponent or > LargestExponent ? "a blind round's grid is out of bounds" : null;
    }
}

using System.Collections.Immutable;
using System.Text.Json;

namespace FedSeg.Federation.Fingerprints;

/// <summary>
/// What a site tells of its data so that a plan can be made: sketches with every count of fewer than <see cref="LeastCases"/> patients left out. Axes are
/// <c>[z, y, x]</c> on the canonical patient axes.
/// </summary>
public sealed record SiteFingerprint
{
    private const double WeightRounding = 1e-6;

    /// <summary>Fewest patients behind anything that is told, at least 2.</summary>
    public required int LeastCases { get; init; }

    public required string Modality { get; init; }

    /// <summary>Labels in class order; class 0 is the background and not listed.</summary>
    public required ImmutableArray<string> Labels { get; init; }

    /// <summary>Number of cases.</summary>
    public required int Cases { get; init; }

    /// <summary>Voxel spacing, mm, a sketch an axis.</summary>
    public required ImmutableArray<Sketch> SpacingMm { get; init; }

    /// <summary>Voxels of the images cropped to their nonzero boxes, a sketch an axis.</summary>
    public required ImmutableArray<Sketch> Voxels { get; init; }

    /// <summary>Voxels times spacing, mm, a sketch an axis: from it follows the shape at any spacing.</summary>
    public required ImmutableArray<Sketch> ExtentMm { get; init; }

    /// <summary>Voxels left by cropping as a share of all.</summary>
    public required Sketch ShareKept { get; init; }

    /// <summary>Intensities of labelled voxels, HU for CT, else deviations of the case's own image; each case weighs the same.</summary>
    public required Sketch Intensity { get; init; }

    /// <summary>Exact moments of the same.</summary>
    public required Moments IntensityMoments { get; init; }

    /// <summary>The canonical bytes: UTF-8 JSON, properties in declaration order.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, FederationJson.Options);

    /// <summary>The same with every count below <paramref name="leastCases"/> left out, where that is more than was left out before.</summary>
    public SiteFingerprint Suppress(int leastCases) => this with
    {
        LeastCases = Math.Max(LeastCases, leastCases),
        SpacingMm = Suppressed(SpacingMm, leastCases),
        Voxels = Suppressed(Voxels, leastCases),
        ExtentMm = Suppressed(ExtentMm, leastCases),
        ShareKept = ShareKept.SuppressCounts(leastCases),
        Intensity = Intensity.Suppress(leastCases),
    };

    /// <summary>The fewest patients, or cases, behind anything it tells.</summary>
    public int SmallestCount() => Sketches().SelectMany(entry => entry.Sketch!.Filled).Select(bin => bin.Patients).Append(Cases).Append(LabelledPatients).Min();

    /// <summary>At least so many patients' labelled voxels entered the moments: those of the intensity that most of them have.</summary>
    private int LabelledPatients => Intensity.Filled.Select(bin => bin.Patients).DefaultIfEmpty().Max();

    /// <summary>Cases whose labelled voxels entered the moments: each weighs the same.</summary>
    private int LabelledCases => (int)Math.Min(int.MaxValue, IntensityMoments.Weight / FingerprintBuilder.SamplesPerCase);

    /// <summary>What is wrong with a fingerprint that came from elsewhere, or <see langword="null"/>.</summary>
    public string? Problem()
    {
        if (LeastCases < 2) return $"leastCases is {LeastCases}; at least 2";
        if (Cases < LeastCases) return $"it tells of {Cases} cases, fewer than {LeastCases}";
        if (Modality is not ("MR" or "CT")) return $"modality is '{Identity.Quote.Of(Modality)}'; use MR or CT";
        if (Labels.Length is < 1 or > 255) return $"it has {Labels.Length} labels; 1 to 255";
        if (SpacingMm.Length != 3 || Voxels.Length != 3 || ExtentMm.Length != 3)
        {
            return "spacing, voxels and extent need a sketch for each of three axes";
        }

        var (weight, sum, squares) = IntensityMoments;
        if (!double.IsFinite(sum) || !double.IsFinite(squares) || !(weight > 0))
        {
            return "its intensity moments are impossible";
        }

        if (LabelledCases > Cases) return $"its moments tell of {LabelledCases} cases, more than all {Cases}";
        foreach (var (name, sketch, bins) in Sketches())
        {
            if (sketch is null) return $"{name} is missing";
            if (sketch.Problem(bins, LeastCases) is { } problem) return $"{name}: {problem}";
            if (sketch.Filled.Any(bin => bin.Patients > Cases)) return $"{name}: a bin has more than all {Cases} cases";
            // Otherwise one site could outweigh all others' data in the plan.
            var mostOfCase = ReferenceEquals(sketch, Intensity) ? FingerprintBuilder.SamplesPerCase : 1;
            if (sketch.Weight() + sketch.SuppressedWeight > Cases * mostOfCase * (1 + WeightRounding)) return $"{name}: it weighs more than all {Cases} cases";
        }

        return LabelledPatients < LeastCases ? $"its moments may be those of fewer than {LeastCases} patients: so many share none of its intensities" : null;
    }

    private static ImmutableArray<Sketch> Suppressed(ImmutableArray<Sketch> axes, int leastCases) => [.. axes.Select(axis => axis.SuppressCounts(leastCases))];

    private IEnumerable<(string Name, Sketch? Sketch, SketchBins Bins)> Sketches() =>
    [
        .. SpacingMm.Select(sketch => ("spacingMm", (Sketch?)sketch, SketchBins.SpacingMm)),
        .. Voxels.Select(sketch => ("voxels", (Sketch?)sketch, SketchBins.Voxels)),
        .. ExtentMm.Select(sketch => ("extentMm", (Sketch?)sketch, SketchBins.ExtentMm)),
        ("shareKept", ShareKept, SketchBins.ShareKept),
        ("intensity", Intensity, SketchBins.IntensityOf(Modality)),
    ];
}

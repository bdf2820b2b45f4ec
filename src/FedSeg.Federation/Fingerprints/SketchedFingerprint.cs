using System.Collections.Immutable;
using FedSeg.Federation.Rounds;

namespace FedSeg.Federation.Fingerprints;

/// <summary>
/// The fingerprint of a federation: the sites' sketches, added up. Quantiles are within a bin's width of those of the pooled data
/// (<see cref="Sketch"/>); a median shape at a spacing is the median extent divided by it, at most half a voxel further off.
/// </summary>
public sealed record SketchedFingerprint : DatasetFingerprint
{
    private const double LowPercentile = 0.005, HighPercentile = 0.995;

    private readonly ImmutableArray<Sketch> _spacingMm;
    private readonly ImmutableArray<Sketch> _voxels;
    private readonly ImmutableArray<Sketch> _extentMm;
    private readonly Sketch _shareKept;

    private SketchedFingerprint(
        ImmutableArray<Sketch> spacingMm, ImmutableArray<Sketch> voxels, ImmutableArray<Sketch> extentMm, Sketch shareKept)
    {
        _spacingMm = spacingMm;
        _voxels = voxels;
        _extentMm = extentMm;
        _shareKept = shareKept;
    }

    public override double MedianShareKept() => _shareKept.Quantile(0.5);

    public override double SpacingQuantile(int axis, double share) => _spacingMm[axis].Quantile(share);

    public override double MedianShape(int axis) => _voxels[axis].Quantile(0.5);

    public override double MedianShapeAt(int axis, double spacingMm) => Math.Round(_extentMm[axis].Quantile(0.5) / spacingMm);

    /// <summary>Adds up fingerprints, in the order given: pass them in the sites' ordinal order to get the same bits everywhere.</summary>
    /// <exception cref="FingerprintException">One has a <see cref="SiteFingerprint.Problem"/>, two disagree, or too little is left to plan
    /// by.</exception>
    public static SketchedFingerprint Merge(IReadOnlyList<SiteFingerprint> sites)
    {
        if (sites.Count == 0) throw new FingerprintException("there is no fingerprint to merge");
        var first = sites[0];
        foreach (var site in sites)
        {
            if (site.Problem() is { } problem) throw new FingerprintException(problem);
            if (site.Modality != first.Modality)
            {
                throw new FingerprintException($"one site has {first.Modality}, another {site.Modality}; a plan is for one modality");
            }

            if (!site.Labels.SequenceEqual(first.Labels))
            {
                throw new FingerprintException("two sites have different labels, or in another order");
            }
        }

        var intensity = Sketch.Merge(sites.Select(site => site.Intensity));
        var moments = sites.Aggregate(default(Moments), (sum, site) => sum + site.IntensityMoments);
        var merged = new SketchedFingerprint(
            MergeAxes(sites, site => site.SpacingMm),
            MergeAxes(sites, site => site.Voxels),
            MergeAxes(sites, site => site.ExtentMm),
            Sketch.Merge(sites.Select(site => site.ShareKept)))
        {
            Cases = sites.Aggregate(0, (sum, site) => checked(sum + site.Cases)),
            Classes = first.Labels.Length + 1,
            Modality = first.Modality,
            Intensity = first.Modality == "CT" ? Statistics(intensity, moments) : null,
        };
        foreach (var (name, axes) in new[]
        {
            ("spacing", merged._spacingMm),
            ("shape", merged._voxels),
            ("extent", merged._extentMm),
            ("share left by cropping", [merged._shareKept]),
        })
        {
            if (axes.Any(axis => axis.Filled.IsEmpty))
            {
                throw Suppressed($"cases' {name}");
            }
        }

        return merged;
    }

    private static ForegroundIntensity Statistics(Sketch intensity, Moments moments)
    {
        if (intensity.Filled.IsEmpty)
        {
            throw Suppressed("intensities");
        }

        return new ForegroundIntensity
        {
            Mean = moments.Mean(),
            Deviation = moments.Deviation(),
            LowerClip = intensity.Quantile(LowPercentile),
            UpperClip = intensity.Quantile(HighPercentile),
        };
    }

    private static FingerprintException Suppressed(string what) =>
        new($"every count of the {what} was suppressed; more patients or a lower threshold are needed");

    private static ImmutableArray<Sketch> MergeAxes(
        IReadOnlyList<SiteFingerprint> sites, Func<SiteFingerprint, ImmutableArray<Sketch>> sketches) =>
        [.. Enumerable.Range(0, 3).Select(axis => Sketch.Merge(sites.Select(site => sketches(site)[axis])))];
}

/// <summary>Fingerprints can't be planned by; the message says why.</summary>
public sealed class FingerprintException(string message) : Exception(message);

using System.Collections.Immutable;

namespace FedSeg.Federation.Fingerprints;

/// <summary>Makes a site's fingerprint, case by case; nothing of it is to leave the site before <see cref="Seal"/>.</summary>
/// <param name="modality"><c>MR</c> or <c>CT</c>.</param>
/// <param name="labels">Labels in class order.</param>
public sealed class FingerprintBuilder(string modality, ImmutableArray<string> labels)
{
    /// <summary>
    /// Samples a case's labelled voxels stand for. nnU-Net draws as many with replacement from every case; here every voxel counts, with
    /// the weight that such a draw would give it on average, so that nothing is left to chance.
    /// </summary>
    public const double SamplesPerCase = 10_000;

    private readonly SketchBuilder[] _spacing = Three(SketchBins.SpacingMm);
    private readonly SketchBuilder[] _voxels = Three(SketchBins.Voxels);
    private readonly SketchBuilder[] _extent = Three(SketchBins.ExtentMm);
    private readonly SketchBuilder _shareKept = new(SketchBins.ShareKept);
    private readonly SketchBuilder _intensity = new(SketchBins.IntensityOf(modality));
    private Moments _moments;
    private readonly Dictionary<string, int> _patients = new(StringComparer.Ordinal);
    private readonly HashSet<int> _labelledPatients = [];
    private int _cases;

    /// <summary>Adds a case.</summary>
    /// <param name="patientKey">Whose it is; several cases of one patient count once wherever patients are counted.</param>
    /// <param name="spacingMm"><c>[z, y, x]</c> on the canonical patient axes.</param>
    /// <param name="shape">Voxels of the image cropped to its nonzero box, the same axes.</param>
    /// <param name="shareKept">Voxels left by cropping as a share of all, above 0 to 1.</param>
    /// <param name="foreground">Intensities of labelled voxels in the unit of <see cref="SketchBins.IntensityOf"/>; empty when nothing is
    /// labelled.</param>
    public void Add(string patientKey, ReadOnlySpan<double> spacingMm, ReadOnlySpan<int> shape, double shareKept, ReadOnlySpan<double> foreground)
    {
        _cases++;
        if (!_patients.TryGetValue(patientKey, out var patient)) _patients.Add(patientKey, patient = _patients.Count);
        _shareKept.AddCase(patient, shareKept);
        for (var axis = 0; axis < 3; axis++)
        {
            _spacing[axis].AddCase(patient, spacingMm[axis]);
            _voxels[axis].AddCase(patient, shape[axis]);
            _extent[axis].AddCase(patient, shape[axis] * spacingMm[axis]);
        }

        if (foreground.IsEmpty) return;
        _labelledPatients.Add(patient);
        _intensity.AddCase(patient, foreground, SamplesPerCase);
        _moments = _moments.WithCase(foreground, SamplesPerCase);
    }

    /// <summary>
    /// The fingerprint with every count of fewer than <paramref name="leastCases"/> patients left out, or <see langword="null"/> when the whole
    /// site has fewer, or fewer with anything labelled.
    /// </summary>
    public SiteFingerprint? Seal(int leastCases)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leastCases, 2);
        if (_labelledPatients.Count < leastCases) return null;
        var intensity = _intensity.Build().Suppress(leastCases);
        // The moments are those of all labelled patients; where no intensity is common to enough of them, nobody else could see that.
        if (intensity.Filled.IsEmpty) return null;
        return new SiteFingerprint
        {
            LeastCases = leastCases,
            Modality = modality,
            Labels = labels,
            Cases = _cases,
            SpacingMm = Sealed(_spacing),
            Voxels = Sealed(_voxels),
            ExtentMm = Sealed(_extent),
            ShareKept = _shareKept.Build().SuppressCounts(leastCases),
            Intensity = intensity,
            IntensityMoments = _moments,
        };

        ImmutableArray<Sketch> Sealed(SketchBuilder[] axes) => [.. axes.Select(axis => axis.Build().SuppressCounts(leastCases))];
    }

    private static SketchBuilder[] Three(SketchBins bins) => [new(bins), new(bins), new(bins)];
}

using FedSeg.Dicom;
using FedSeg.Federation.Fingerprints;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Cropping;
using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// A site's fingerprint from its case folders: shapes, spacings and labelled intensities, as many cases in memory as are read at once.
/// </summary>
public static class CohortFingerprint
{
    /// <summary>
    /// Reads every sub-folder of <paramref name="directory"/> as one case, in ordinal order; a refused case, or one of another modality,
    /// doesn't count.
    /// </summary>
    /// <param name="directory">One sub-folder per case.</param>
    /// <param name="labels">The run's labels and how this site's files call them.</param>
    /// <param name="modality"><c>MR</c> or <c>CT</c>.</param>
    /// <param name="leastCases">Counts of fewer patients are left out, at least 2.</param>
    /// <param name="threads">Cases read at the same time; the fingerprint is the same to the last bit with any number.</param>
    /// <param name="cancellationToken">Looked at between files.</param>
    /// <param name="limits">Bounds on what a file may ask for; the defaults when left out.</param>
    /// <param name="isLeftOut">Patients who count nowhere, by their key.</param>
    /// <param name="counted">Told the key of each patient who counts.</param>
    /// <param name="caseRead">Called after each case folder, from several threads.</param>
    /// <returns><see langword="null"/> when the whole site has too few cases to tell anything.</returns>
    /// <exception cref="IOException">The folder is not there or can't be listed.</exception>
    public static SiteFingerprint? Of(
        string directory,
        LabelVocabulary labels,
        string modality,
        int leastCases,
        int threads,
        CancellationToken cancellationToken,
        DicomLimits? limits = null,
        Func<string, bool>? isLeftOut = null,
        Action<string>? counted = null,
        Action? caseRead = null)
    {
        var reader = new CaseReader(limits, isLeftOut: isLeftOut);
        var builder = new FingerprintBuilder(modality, [.. labels.Labels.Select(label => label.Name)]);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        foreach (var folders in Directory.GetDirectories(directory).Order(StringComparer.Ordinal).Chunk(threads))
        {
            var told = new CountedCase?[folders.Length];
            Parallel.For(0, folders.Length, parallel, i =>
            {
                var outcome = reader.Read(folders[i], labels, cancellationToken);
                if (outcome is CaseOutcome.Usable { Case: var usable } && usable.Modality == modality) told[i] = Count(usable);
                caseRead?.Invoke();
            });
            // In their order, whichever was read first: sums of other orders differ in their last bits.
            foreach (var entry in told.OfType<CountedCase>())
            {
                builder.Add(entry.PatientKey, entry.SpacingMm, entry.Shape, entry.ShareKept, entry.Foreground);
                counted?.Invoke(entry.PatientKey);
            }
        }

        return builder.Seal(leastCases);
    }

    private static CountedCase Count(LabelledCase usable)
    {
        var orientation = CanonicalOrientation.Of(usable.Image.Grid);
        var image = orientation.Apply(usable.Image);
        var box = CropBox.OfNonzero(image);
        var foreground = Foreground(usable.Modality, box.Cut(image), box.Cut(orientation.Apply(usable.Labels)));
        var (spacing, size) = (box.Part.SpacingMm, box.Part.Size);
        return new CountedCase(usable.PatientKey, [spacing.Z, spacing.Y, spacing.X], [size.Z, size.Y, size.X], box.ShareKept, foreground);
    }

    /// <summary>HU for CT; elsewhere deviations from the mean of the cropped image, because its unit is the scanner's own.</summary>
    private static double[] Foreground(string modality, Volume image, LabelVolume labels)
    {
        var voxels = modality == "CT" ? image.Voxels : IntensityNormalisation.ZScore(image).Voxels;
        var labelled = new List<double>();
        for (var i = 0; i < voxels.Length; i++)
        {
            if (labels.Labels[i] != 0) labelled.Add(voxels[i]);
        }

        return [.. labelled];
    }

    /// <summary>What is counted of a case, as <see cref="FingerprintBuilder.Add"/> takes it.</summary>
    private sealed record CountedCase(string PatientKey, double[] SpacingMm, int[] Shape, double ShareKept, double[] Foreground);
}

using FedSeg.Dicom;
using FedSeg.Federation.Fingerprints;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Cropping;
using FedSeg.Imaging.Normalising;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>A site's fingerprint from its case folders: shapes, spacings and labelled intensities, one case in memory at a time.</summary>
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
    /// <param name="cancellationToken">Looked at between files.</param>
    /// <param name="limits">Bounds on what a file may ask for; the defaults when left out.</param>
    /// <param name="isLeftOut">Patients who count nowhere, by their key.</param>
    /// <param name="counted">Told the key of each patient who counts.</param>
    /// <param name="caseRead">Called after each case folder.</param>
    /// <returns><see langword="null"/> when the whole site has too few cases to tell anything.</returns>
    /// <exception cref="IOException">The folder is not there or can't be listed.</exception>
    public static SiteFingerprint? Of(
        string directory,
        LabelVocabulary labels,
        string modality,
        int leastCases,
        CancellationToken cancellationToken,
        DicomLimits? limits = null,
        Func<string, bool>? isLeftOut = null,
        Action<string>? counted = null,
        Action? caseRead = null)
    {
        var reader = new CaseReader(limits, isLeftOut: isLeftOut);
        var builder = new FingerprintBuilder(modality, [.. labels.Labels.Select(label => label.Name)]);
        foreach (var folder in Directory.GetDirectories(directory).Order(StringComparer.Ordinal))
        {
            if (reader.Read(folder, labels, cancellationToken) is CaseOutcome.Usable { Case: var usable } && usable.Modality == modality)
            {
                Add(builder, usable);
                counted?.Invoke(usable.PatientKey);
            }

            caseRead?.Invoke();
        }

        return builder.Seal(leastCases);
    }

    private static void Add(FingerprintBuilder builder, LabelledCase usable)
    {
        var orientation = CanonicalOrientation.Of(usable.Image.Grid);
        var image = orientation.Apply(usable.Image);
        var box = CropBox.OfNonzero(image);
        var foreground = Foreground(usable.Modality, box.Cut(image), box.Cut(orientation.Apply(usable.Labels)));
        var (spacing, size) = (box.Part.SpacingMm, box.Part.Size);
        builder.Add(usable.PatientKey, [spacing.Z, spacing.Y, spacing.X], [size.Z, size.Y, size.X], box.ShareKept, foreground);
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
}

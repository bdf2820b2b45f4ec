using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Phantoms;

/// <summary>
/// Synthetic hospitals as real DICOM: <c>DIR/&lt;site&gt;/&lt;case&gt;/IMAGES/*.dcm</c>, one slice a file in names that carry no order, and <c>SEG.dcm</c>
/// with two segments. Every invented identity contains the word <c>Canary</c>. Some patients have two studies.
/// </summary>
public static class PhantomHospitals
{
    /// <summary>Label of segment 1.</summary>
    public const string Kidney = "kidney";

    /// <summary>Label of segment 2.</summary>
    public const string Tumour = "tumour";

    /// <summary>Writes the hospitals below <paramref name="directory"/>, which is made if needed.</summary>
    /// <returns>The sites in order, each with the number of its cases.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IReadOnlyList<(string Site, int Cases)> Write(string directory, PhantomOptions options, CancellationToken cancellationToken = default)
    {
        options.Check();
        var sites = new List<(string, int)>();
        for (var site = 0; site < options.Sites; site++)
        {
            var scanner = PhantomScanner.Of(site, options.Seed);
            var isSmall = options.Sites > 1 && site == options.Sites - 1;
            var cases = isSmall ? Math.Max(2, options.CasesPerSite * 5 / 12) : options.CasesPerSite;
            for (var number = 0; number < cases; number++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                WriteCase(Path.Combine(directory, scanner.Site, $"case-{number + 1:000}"), new PhantomStudy(scanner, number, options));
            }

            sites.Add((scanner.Site, cases));
        }

        return sites;
    }

    private static void WriteCase(string directory, PhantomStudy study)
    {
        var images = Directory.CreateDirectory(Path.Combine(directory, "IMAGES")).FullName;
        var (stored, labels) = study.Scan();
        for (var slice = 0; slice < PhantomStudy.Size.Z; slice++)
        {
            var set = study.SliceOf(stored, slice);
            Mark(set, study.TextSuffix);
            DicomWriter.Write(Path.Combine(images, study.FileNameOf(slice)), set);
        }

        var series = DicomFolder.Read(images).Images is [var slices] && SeriesAssembly.Assemble(slices) is SeriesOutcome.Usable usable
            ? usable.Series
            : throw new InvalidOperationException($"The phantom series just written to {images} is not a volume.");
        var segmentation = SegmentationWriter.Build(series, new LabelVolume(series.Grid, labels), study.Segmentation);
        Mark(segmentation, study.TextSuffix);
        DicomWriter.Write(Path.Combine(directory, "SEG.dcm"), segmentation);
    }

    /// <summary>Appends the suffix to every value where the standard allows free text, shortening the value where the representation has a longest length.</summary>
    private static void Mark(DataSetBuilder set, string? suffix)
    {
        if (suffix is null)
        {
            return;
        }

        set.ChangeText((tag, vr, text) =>
        {
            var longest = vr switch
            {
                DicomVr.SH => 16,
                DicomVr.LO or DicomVr.PN => 64,
                DicomVr.ST => 1024,
                DicomVr.LT or DicomVr.UT or DicomVr.UC => 10240,
                _ => 0,
            };
            // The pieces of a code are an identifier, not free text.
            var isFree = longest > 0 && tag != Tags.CodeValue && tag != Tags.CodingSchemeDesignator;
            return !isFree || text.EndsWith(suffix, StringComparison.Ordinal) ? text : text[..Math.Min(text.Length, longest - suffix.Length)] + suffix;
        });
    }
}

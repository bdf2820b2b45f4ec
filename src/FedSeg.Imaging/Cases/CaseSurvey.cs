using FedSeg.Dicom;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Cases;

/// <summary>What the headers of one case say; no pixel is decoded.</summary>
/// <param name="Directory">The case's folder.</param>
/// <param name="PatientKey">As in <see cref="LabelledCase"/>; stays at the site.</param>
/// <param name="Modality">DICOM modality code.</param>
/// <param name="Grid">The image's grid.</param>
/// <param name="SegmentLabels">The segment labels in the order of their numbers, without a label map's background.</param>
public sealed record SurveyedCase(
    string Directory, string PatientKey, string Modality, GridGeometry Grid, IReadOnlyList<string> SegmentLabels);

/// <summary>
/// A first look at a site's data folder (<c>DIR/&lt;case&gt;/…</c>) by headers alone: enough to propose a job. Pixels may still turn out
/// corrupt later.
/// </summary>
/// <param name="Cases">Cases whose headers fit together, in ordinal order of their folders.</param>
/// <param name="Quarantined">Every other case folder with its reason.</param>
public sealed record CaseSurvey(IReadOnlyList<SurveyedCase> Cases, IReadOnlyList<FileProblem> Quarantined)
{
    /// <summary>Surveys every sub-folder of <paramref name="siteDirectory"/> as one case.</summary>
    /// <exception cref="IOException">The folder is not there or can't be listed.</exception>
    public static CaseSurvey Of(
        string siteDirectory, DicomLimits? limits = null, SeriesOptions? options = null, CancellationToken cancellationToken = default)
    {
        var cases = new List<SurveyedCase>();
        var quarantined = new List<FileProblem>();
        foreach (var directory in System.IO.Directory.EnumerateDirectories(siteDirectory).Order(StringComparer.Ordinal))
        {
            switch (CaseMatch.In(DicomFolder.Read(directory, limits, cancellationToken: cancellationToken), directory, options))
            {
                case CaseMatch.Found found:
                    cases.Add(new(directory, found.PatientKey, found.Series.Modality, found.Series.Grid, found.Segmentation.Labels));
                    break;
                case CaseMatch.Refused refused:
                    quarantined.Add(new(directory, refused.Reason, refused.Detail));
                    break;
            }
        }

        return new CaseSurvey(cases, quarantined);
    }

    /// <summary>
    /// The segment labels of the surveyed cases in the order in which the first case numbers them; labels that only later cases have
    /// follow.
    /// </summary>
    public IReadOnlyList<string> Labels =>
        [.. Cases.SelectMany(surveyed => surveyed.SegmentLabels).Distinct(StringComparer.OrdinalIgnoreCase)];
}

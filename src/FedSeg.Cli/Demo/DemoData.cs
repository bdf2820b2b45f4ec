using FedSeg.Cli.Programs;
using FedSeg.Dicom;
using FedSeg.Federation.Identity;
using FedSeg.Imaging.Cases;

namespace FedSeg.Cli.Demo;

/// <summary>The hospitals of a demo and what their headers say: enough to propose a job.</summary>
/// <param name="Sites">Data folder by site name, in ordinal order.</param>
/// <param name="Surveys">What was found at each site.</param>
internal sealed record DemoData(IReadOnlyDictionary<string, string> Sites, IReadOnlyDictionary<string, CaseSurvey> Surveys)
{
    /// <summary>Surveys <c>DIR/&lt;site&gt;/&lt;case&gt;/…</c> by headers alone.</summary>
    /// <param name="directory">The data folder.</param>
    /// <param name="limits">Bounds on what a file may ask for, the same as those its pixels will be read with.</param>
    /// <param name="cancellationToken">Looked at between files.</param>
    /// <exception cref="BadInputException">No site, a folder whose name can't be a site's, or a site without a usable case.</exception>
    public static DemoData Survey(string directory, DicomLimits limits, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(directory)) throw new BadInputException($"There is no data folder '{directory}'.");
        var folders = Directory.GetDirectories(directory).Order(StringComparer.Ordinal).ToList();
        if (folders.Count == 0) throw new BadInputException($"'{directory}' has no site folder; expected {directory}/<site>/<case>/… with DICOM files below each case.");

        var sites = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var surveys = new Dictionary<string, CaseSurvey>();
        foreach (var folder in folders)
        {
            var name = Path.GetFileName(folder);
            if (!SiteId.TryParse(name, null, out _)) throw new BadInputException($"'{folder}' can't be a site: a site's name has 1 to 32 of a-z, 0-9 and '-'.");
            var survey = CaseSurvey.Of(folder, limits, cancellationToken: cancellationToken);
            if (survey.Cases.Count == 0) throw new BadInputException(Explain(folder, survey));
            sites.Add(name, folder);
            surveys.Add(name, survey);
        }

        return new DemoData(sites, surveys);
    }

    /// <summary>The cases of all sites.</summary>
    public IEnumerable<SurveyedCase> Cases => Surveys.Values.SelectMany(survey => survey.Cases);

    /// <summary>Labels that occur at every site, in the order of the first site's segment numbers.</summary>
    public IReadOnlyList<string> CommonLabels => Surveys.Values.Select(survey => survey.Labels).Aggregate<IReadOnlyList<string>>(
        (common, labels) => [.. common.Where(label => labels.Contains(label, StringComparer.OrdinalIgnoreCase))]);

    private static string Explain(string folder, CaseSurvey survey)
    {
        if (survey.Quarantined.Count == 0) return $"'{folder}' has no case folder; put each case's DICOM files into a folder of its own below it.";
        var first = survey.Quarantined[0];
        return $"'{folder}' has no usable case: {survey.Quarantined.Count} refused, the first ({first.Reason}) because {first.Detail}";
    }
}

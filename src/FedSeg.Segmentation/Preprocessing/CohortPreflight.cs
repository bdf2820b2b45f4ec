using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Dicom;
using FedSeg.Federation;
using FedSeg.Imaging.Cases;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// What a run could use of a cohort, found by reading every study as for training and letting it go again, so that memory is that of the
/// studies being read. It names folders and files of the site and never leaves it.
/// </summary>
/// <param name="Cohort">The folder that was read.</param>
/// <param name="Usable">Folders of the usable cases, in ordinal order.</param>
/// <param name="Quarantined">The refused cases.</param>
public sealed record CohortPreflight(string Cohort, ImmutableArray<string> Usable, ImmutableArray<QuarantinedCase> Quarantined)
{
    private static readonly JsonSerializerOptions Indented = new(FederationJson.Options) { WriteIndented = true };

    /// <summary>Refused cases by reason code.</summary>
    public ImmutableSortedDictionary<string, int> Reasons => Quarantined
        .GroupBy(entry => entry.Reason)
        .ToImmutableSortedDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    /// <param name="directory">One sub-folder per case.</param>
    /// <param name="vocabulary">The labels a usable case must have.</param>
    /// <param name="limits">Bounds on what a file may ask for.</param>
    /// <param name="threads">Cases read at the same time.</param>
    /// <param name="isLeftOut">Patients whose images are not decoded and who count nowhere, by their key.</param>
    /// <param name="caseRead">Called after each case folder, from several threads.</param>
    /// <exception cref="CohortException">There is no such folder.</exception>
    public static CohortPreflight Of(
        string directory,
        LabelVocabulary vocabulary,
        DicomLimits limits,
        int threads,
        CancellationToken cancellationToken,
        Func<string, bool>? isLeftOut = null,
        Action? caseRead = null)
    {
        if (!Directory.Exists(directory)) throw new CohortException(CohortProblem.NoUsableCase, $"{directory}: no such folder; expected one sub-folder per case");
        var reader = new CaseReader(limits, isLeftOut: isLeftOut);
        var folders = Directory.GetDirectories(directory).Order(StringComparer.Ordinal).ToArray();
        var refused = new QuarantinedCase?[folders.Length];
        var leftOut = new bool[folders.Length];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        Parallel.For(0, folders.Length, parallel, i =>
        {
            var outcome = reader.Read(folders[i], vocabulary, cancellationToken);
            leftOut[i] = outcome is CaseOutcome.LeftOut;
            if (outcome is CaseOutcome.Quarantined quarantined) refused[i] = new QuarantinedCase(folders[i], quarantined.Reason.ToString(), quarantined.Detail);
            caseRead?.Invoke();
        });
        return new CohortPreflight(directory, [.. folders.Where((_, i) => refused[i] is null && !leftOut[i])], [.. refused.OfType<QuarantinedCase>()]);
    }

    /// <summary>Writes the report as indented JSON, replacing an older one.</summary>
    public void Write(string path) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, Indented));
}

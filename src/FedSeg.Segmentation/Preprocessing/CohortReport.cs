using System.Collections.Immutable;
using System.Text.Json;
using FedSeg.Federation;

namespace FedSeg.Segmentation.Preprocessing;

/// <summary>
/// What became of each case folder, for the site's operator. It names folders and files of the site and never leaves it.
/// </summary>
/// <param name="Cohort">The folder that was read.</param>
/// <param name="Training">Folders of the cases trained on.</param>
/// <param name="HeldBack">Folders of the cases of held-back patients.</param>
/// <param name="Quarantined">The refused cases.</param>
public sealed record CohortReport(
    string Cohort,
    ImmutableArray<string> Training,
    ImmutableArray<string> HeldBack,
    ImmutableArray<QuarantinedCase> Quarantined)
{
    private static readonly JsonSerializerOptions Indented = new(FederationJson.Options) { WriteIndented = true };

    /// <summary>Writes the report as indented JSON, replacing an older one.</summary>
    public void Write(string path) => File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, Indented));
}

/// <summary>A refused case.</summary>
/// <param name="Case">Its folder.</param>
/// <param name="Reason">Reason code, as counted in what the site reports.</param>
/// <param name="Detail">What is wrong, where, and what to do.</param>
public sealed record QuarantinedCase(string Case, string Reason, string Detail);

using System.ComponentModel.DataAnnotations;
using FedSeg.Importer.Imports;
using FedSeg.Importer.Pacs;
using FedSeg.Importer.Selection;
using Microsoft.Extensions.Options;

namespace FedSeg.Importer;

/// <summary>The importer's settings, section <c>Importer</c> of its settings file. Relative paths start at that file's folder.</summary>
internal sealed class ImporterOptions
{
    [ValidateObjectMembers]
    public PacsOptions Pacs { get; set; } = new();

    [ValidateObjectMembers]
    public SelectionOptions Select { get; set; } = new();

    public ScheduleOptions Schedule { get; set; } = new();

    /// <summary>The folder that the agent's settings name as <c>Agent:Cohort:Directory</c>; one sub-folder per case appears here.</summary>
    [Required(ErrorMessage = "Importer:CohortDirectory is missing; give the folder that the agent's Agent:Cohort:Directory names.")]
    public string CohortDirectory { get; set; } = "";

    /// <summary>Folder for studies on their way, refused files and the report; on the cohort's file system, outside the cohort.</summary>
    [Required(ErrorMessage = "Importer:DataDirectory is missing; give a folder on the cohort's file system for studies on their way.")]
    public string DataDirectory { get; set; } = "";
}

/// <summary>The checks that attributes say.</summary>
[OptionsValidator]
internal sealed partial class ImporterOptionsValidator : IValidateOptions<ImporterOptions>;

/// <summary>The checks that attributes can't say, all at once.</summary>
internal sealed class ImporterSettingsValidator : IValidateOptions<ImporterOptions>
{
    public ValidateOptionsResult Validate(string? name, ImporterOptions options)
    {
        var problems = options.Pacs.Problems().Concat(options.Select.Problems()).Concat(options.Schedule.Problems()).ToList();
        if (IsInside(options.DataDirectory, options.CohortDirectory))
        {
            problems.Add(
                $"Importer:DataDirectory is '{options.DataDirectory}', inside the cohort, where it would pass for a case. Put it beside.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static bool IsInside(string inner, string outer) =>
        inner.Length > 0 && outer.Length > 0
        && (Path.TrimEndingDirectorySeparator(inner) + Path.DirectorySeparatorChar)
            .StartsWith(Path.TrimEndingDirectorySeparator(outer) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

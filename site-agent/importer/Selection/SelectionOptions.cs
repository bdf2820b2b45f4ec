using System.ComponentModel.DataAnnotations;

namespace FedSeg.Importer.Selection;

/// <summary>
/// Which studies make the cohort, and which of their series a case needs. Patterns know <c>*</c> and <c>?</c> and ignore case.
/// </summary>
internal sealed class SelectionOptions
{
    /// <summary>Modalities of the images, such as <c>MR</c>; at least one.</summary>
    [MinLength(1, ErrorMessage = "Importer:Select:Modalities is empty; name the images' modalities, such as [\"MR\"].")]
    public string[] Modalities { get; set; } = [];

    /// <summary>First study date, inclusive.</summary>
    public DateOnly? StudyDateFrom { get; set; }

    /// <summary>Last study date, inclusive.</summary>
    public DateOnly? StudyDateTo { get; set; }

    /// <summary>Pattern of StudyDescription; any when empty.</summary>
    public string StudyDescription { get; set; } = "";

    /// <summary>Pattern of the images' SeriesDescription; any when empty.</summary>
    public string SeriesDescription { get; set; } = "";

    /// <summary>Pattern of the segmentation's SeriesDescription; any when empty.</summary>
    public string SegmentationDescription { get; set; } = "";

    /// <summary>
    /// A file with one accession number a line: only these studies. Kept out of the settings, because such numbers identify patients.
    /// </summary>
    public string AccessionNumberFile { get; set; } = "";

    /// <summary>Which segmentation a case must have.</summary>
    public SegmentationChoice Segmentation { get; set; } = SegmentationChoice.SegElseRtStruct;

    /// <summary>What attributes can't say.</summary>
    internal IEnumerable<string> Problems()
    {
        foreach (var modality in Modalities.Where(modality => !IsCode(modality)))
        {
            yield return $"Importer:Select:Modalities holds '{modality}'; a modality is a code of capital letters, such as MR or CT.";
        }

        if (StudyDateFrom > StudyDateTo)
        {
            yield return $"Importer:Select:StudyDateTo is {StudyDateTo:yyyy-MM-dd}, before StudyDateFrom, {StudyDateFrom:yyyy-MM-dd}.";
        }
        if (AccessionNumberFile.Length > 0 && !File.Exists(AccessionNumberFile))
        {
            yield return $"Importer:Select:AccessionNumberFile is '{AccessionNumberFile}', which does not exist.";
        }
        if (!Enum.IsDefined(Segmentation))
        {
            yield return $"Importer:Select:Segmentation must be one of {string.Join(", ", Enum.GetNames<SegmentationChoice>())}.";
        }
    }

    /// <summary>Code String, PS3.5 §6.2, as modalities use it.</summary>
    private static bool IsCode(string text) =>
        text.Length is > 0 and <= 16 && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter));
}

/// <summary>Which kind of segmentation makes a study a case.</summary>
internal enum SegmentationChoice
{
    /// <summary>DICOM SEG; where a study has none, RTSTRUCT.</summary>
    SegElseRtStruct,

    /// <summary>DICOM SEG only.</summary>
    Seg,

    /// <summary>RTSTRUCT only.</summary>
    RtStruct,

    /// <summary>Images alone, for prediction.</summary>
    None,
}

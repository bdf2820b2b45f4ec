using System.Globalization;
using System.IO.Enumeration;
using FedSeg.Dicom.DataSets;
using FedSeg.Importer.Pacs;

namespace FedSeg.Importer.Selection;

/// <summary>
/// What to ask the PACS for, and which of its answers to take. A PACS may leave out a filter it does not know (PS3.18 §8.3.4.1), so every
/// answer is checked again here,
/// and one that does not show what the filter needs is not taken.
/// </summary>
internal sealed class StudySelection
{
    // What 'fedseg predict' writes; this program can't name the code that does.
    private const string Prediction = "FedSeg prediction";

    private readonly SelectionOptions _options;
    private readonly string[] _accessionNumbers;

    private StudySelection(SelectionOptions options, string[] accessionNumbers)
    {
        _options = options;
        _accessionNumbers = accessionNumbers;
    }

    /// <exception cref="InvalidDataException">The file of accession numbers holds none.</exception>
    public static StudySelection Of(SelectionOptions options)
    {
        if (options.AccessionNumberFile.Length == 0) return new StudySelection(options, []);
        var numbers = File.ReadLines(options.AccessionNumberFile)
            .Select(line => line.Trim())
            .Where(line => line.Length > 0)
            .Distinct(StringComparer.Ordinal)
            .ToArray();
        return numbers.Length > 0
            ? new StudySelection(options, numbers)
            : throw new InvalidDataException(
                $"Importer:Select:AccessionNumberFile is '{options.AccessionNumberFile}', which is empty; that would select everything.");
    }

    /// <summary>The filters of the queries whose answers together are the cohort: one for each accession number, or one in all.</summary>
    /// <remarks>
    /// Modalities are not among them. An archive computes ModalitiesInStudy, and Orthanc 1.10 counts a page's offset twice when it filters
    /// by a computed value: from the second
    /// page on studies are missing, without a word. So the modalities are asked for and compared here.
    /// </remarks>
    public IEnumerable<IReadOnlyList<KeyValuePair<string, string>>> Queries() => _accessionNumbers.Length > 0
        ? _accessionNumbers.Select(number => Query([new("AccessionNumber", number)]))
        : [Query([])];

    /// <summary>Whether an answer is what was asked for.</summary>
    public bool Takes(StudyMatch match) =>
        IsInTime(match.Date)
        && Matches(_options.StudyDescription, match.Description)
        && (_accessionNumbers.Length == 0 || _accessionNumbers.Contains(match.AccessionNumber, StringComparer.Ordinal))
        // The series decide anyway; where the study tells its modalities, that saves asking for them.
        && (match.Modalities.Count == 0 || match.Modalities.Intersect(_options.Modalities, StringComparer.Ordinal).Any());

    /// <summary>The series of a case: all images of the chosen modalities and descriptions, and the segmentation.</summary>
    public SeriesChoice Choose(IReadOnlyList<SeriesMatch> series)
    {
        var images = series
            .Where(entry => _options.Modalities.Contains(entry.Modality, StringComparer.Ordinal))
            .Where(entry => Matches(_options.SeriesDescription, entry.Description))
            .ToArray();
        if (images.Length == 0) return new SeriesChoice.Nothing(SkipReason.NoImages);
        if (_options.Segmentation == SegmentationChoice.None) return new SeriesChoice.Chosen([.. images.Select(image => image.Series)]);
        var segmentations = Kinds(_options.Segmentation)
            .Select(kind => series.Where(entry => entry.Modality == kind && IsWanted(entry)).ToArray())
            .FirstOrDefault(found => found.Length > 0);
        return segmentations switch
        {
            null => new SeriesChoice.Nothing(SkipReason.NoSegmentation),
            [var one] => new SeriesChoice.Chosen([.. images.Select(image => image.Series), one.Series]),
            _ => new SeriesChoice.Nothing(SkipReason.SeveralSegmentations),
        };
    }

    /// <summary>A prediction that was pushed to the PACS is nothing to learn from.</summary>
    private bool IsWanted(SeriesMatch segmentation) =>
        segmentation.Description != Prediction && Matches(_options.SegmentationDescription, segmentation.Description);

    private static string[] Kinds(SegmentationChoice choice) => choice switch
    {
        SegmentationChoice.Seg => ["SEG"],
        SegmentationChoice.RtStruct => ["RTSTRUCT"],
        SegmentationChoice.SegElseRtStruct => ["SEG", "RTSTRUCT"],
        _ => throw new InvalidOperationException($"{choice} names no segmentation."),
    };

    private List<KeyValuePair<string, string>> Query(List<KeyValuePair<string, string>> query)
    {
        if (_options.StudyDateFrom is not null || _options.StudyDateTo is not null)
        {
            // A range with one end open is written with nothing at that end, PS3.4 §C.2.2.2.5.
            query.Add(new("StudyDate", $"{Date(_options.StudyDateFrom)}-{Date(_options.StudyDateTo)}"));
        }

        if (_options.StudyDescription.Length > 0) query.Add(new("StudyDescription", _options.StudyDescription));
        query.Add(new("includefield", nameof(Tags.StudyDescription)));
        query.Add(new("includefield", nameof(DicomJson.ModalitiesInStudy)));
        return query;
    }

    private bool IsInTime(string date) =>
        _options.StudyDateFrom is null && _options.StudyDateTo is null
        || DateOnly.TryParseExact(date, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
        && (_options.StudyDateFrom is not { } from || day >= from)
        && (_options.StudyDateTo is not { } to || day <= to);

    private static bool Matches(string pattern, string text) =>
        pattern.Length == 0 || FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase: true);

    private static string Date(DateOnly? day) => day?.ToString("yyyyMMdd", CultureInfo.InvariantCulture) ?? "";
}

using FedSeg.Dicom;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Cases;

/// <summary>One stack of images that was found and what can be made of it; a series with several stacks comes once for each.</summary>
/// <param name="Stack">What tells it from the series' other stacks; <see langword="null"/> when it is the only one.</param>
/// <param name="Reason">Why it is not usable: the reason's name and the detail; <see langword="null"/> when it is usable.</param>
/// <param name="Grid">The volume's grid; <see langword="null"/> when it is not usable.</param>
/// <param name="FilledSlices">Missing slices that an option filled in.</param>
/// <param name="Orientation">
/// Where the column, row and slice index grow to, such as <c>LPH</c> (left, posterior, head); the nearest letters for oblique stacks.
/// </param>
/// <param name="Segmentations">Paths of the segmentations that were drawn on it.</param>
public sealed record ScannedSeries(
    string Uid,
    string? Stack,
    string Modality,
    int Files,
    bool Usable,
    string? Reason,
    GridGeometry? Grid,
    int FilledSlices,
    string? Orientation,
    IReadOnlyList<string> Segmentations);

/// <summary>Every series below a folder and every file that can't be used (<c>fedseg dicom scan</c>); no pixel is decoded.</summary>
/// <param name="Quarantined">In path order: files that are no image, that can't be read, or that belong to nothing here.</param>
public sealed record DicomScan(IReadOnlyList<ScannedSeries> Series, IReadOnlyList<FileProblem> Quarantined)
{
    /// <exception cref="IOException">The folder is not there or can't be listed.</exception>
    public static DicomScan Of(
        string directory,
        DicomLimits? limits = null,
        SeriesOptions? options = null,
        IProgress<FolderProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var folder = DicomFolder.Read(directory, limits, progress, cancellationToken);
        var assembled = folder.Images.Select(slices => SeriesAssembly.AssembleStacks(slices, options)).ToArray();
        var segmentations =
            folder.Segmentations.Select(
                segmentation => (Segmentation: segmentation, Match: CaseMatch.CaseOf(segmentation, folder, options))).ToArray();
        var series = assembled.SelectMany(one => one.Stacks.Select(stack => Describe(
            one, stack, segmentations.Where(entry => IsDrawnOn(entry.Match, stack)).Select(entry => entry.Segmentation.Path))));
        var unmatched = segmentations
            .Select(entry => Explain(entry.Segmentation, entry.Match))
            .OfType<FileProblem>();
        return new DicomScan(
            [.. series],
            [.. folder.Problems.Concat(folder.Others).Concat(assembled.SelectMany(one => one.LeftOut)).Concat(unmatched)
                .OrderBy(problem => problem.Path, StringComparer.Ordinal)]);
    }

    private static bool IsDrawnOn(CaseMatch match, SeriesPart stack) =>
        match is CaseMatch.Found { Series: var found }
            && stack.Outcome is SeriesOutcome.Usable { Series: var usable } && found.Slices[0] == usable.Slices[0];

    private static ScannedSeries Describe(AssembledSeries series, SeriesPart stack, IEnumerable<string> segmentations)
    {
        var files = stack.Slices.Select(slice => slice.Path).Distinct(StringComparer.Ordinal).Count();
        return stack.Outcome switch
        {
            SeriesOutcome.Usable { Series: var usable } => new ScannedSeries(
                series.SeriesUid, stack.Name, usable.Modality, files, true, null, usable.Grid, usable.MissingPlanes.Count,
                LettersOf(usable.Grid.Directions), [.. segmentations]),
            SeriesOutcome.Refused refused => new ScannedSeries(
                series.SeriesUid, stack.Name, series.Modality, files, false, $"{refused.Reason}: "
                    + $"{refused.Detail}", null, 0, null, [.. segmentations]),
            _ => throw new InvalidOperationException("A stack is either usable or refused."),
        };
    }

    /// <summary>
    /// Why a segmentation can't be learnt from with the images here; <see langword="null"/> when it can, as far as headers tell.
    /// </summary>
    private static FileProblem? Explain(SegmentationObject segmentation, CaseMatch match) => match switch
    {
        CaseMatch.Refused refused => new FileProblem(segmentation.Path, refused.Reason, refused.Detail),
        CaseMatch.Found { Series: var series } when segmentation is SegmentationHeader header
            && !FramePlacement.AllOn(series.Grid, header) => new FileProblem(
            segmentation.Path,
            QuarantineReason.SegmentationGridMismatch,
            $"{segmentation.Path}: the segmentation has frames that do not fall on the voxels of its images; export it on the images' "
                + "own grid."),
        _ => null,
    };

    private static string LettersOf(AxisDirections directions) =>
        string.Concat(Letter(directions.Column), Letter(directions.Row), Letter(directions.Slice));

    private static char Letter(Vector3D direction)
    {
        var (x, y, z) = (Math.Abs(direction.X), Math.Abs(direction.Y), Math.Abs(direction.Z));
        return x >= y && x >= z ? (direction.X > 0 ? 'L' : 'R')
            : y >= z ? (direction.Y > 0 ? 'P' : 'A')
            : direction.Z > 0 ? 'H' : 'F';
    }
}

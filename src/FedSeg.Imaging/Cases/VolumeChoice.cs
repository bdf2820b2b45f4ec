using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Cases;

/// <summary>
/// Chooses the one volume that was meant among all that a folder holds; where that is open, it is refused and the candidates are named.
/// </summary>
public static class VolumeChoice
{
    /// <param name="seriesUid">The series, or <see langword="null"/> when the folder should hold only one usable volume.</param>
    /// <param name="stack">Name of the stack, where the series holds several.</param>
    public static SeriesOutcome Of(DicomFolder folder, string? seriesUid = null, string? stack = null, SeriesOptions? options = null)
    {
        var stacks = folder.Images
            .Where(slices => seriesUid is null || slices[0].SeriesUid == seriesUid)
            .SelectMany(slices => SeriesAssembly.AssembleStacks(slices, options).Stacks)
            .Where(candidate => stack is null || candidate.Name == stack)
            .ToArray();
        var usable = stacks.Where(candidate => candidate.Outcome is SeriesOutcome.Usable).ToArray();
        return (usable, stacks) switch
        {
            ([var only], _) => only.Outcome,
            ([], []) => new SeriesOutcome.Refused(QuarantineReason.NoImageSeries, "None of the files is an image of the series that was "
                + "asked for. 'fedseg dicom scan' lists what there is."),
            ([], [var first, ..]) => first.Outcome,
            _ => new SeriesOutcome.Refused(
                usable.Select(candidate => candidate.Slices[0].SeriesUid).Distinct(StringComparer.Ordinal).Count() > 1
                    ? QuarantineReason.SeveralImageSeries : QuarantineReason.SeveralStacks,
                $"{usable.Length} volumes are usable; choose one: {string.Join("; ", usable.Take(6).Select(NameOf))}."),
        };
    }

    /// <summary>The volume that a segmentation was drawn on.</summary>
    public static SeriesOutcome DrawnOnBy(SegmentationObject segmentation, DicomFolder folder, SeriesOptions? options = null) =>
        CaseMatch.SeriesOf(segmentation, folder, options) switch
        {
            CaseMatch.Found found => new SeriesOutcome.Usable(found.Series),
            CaseMatch.Refused refused => new SeriesOutcome.Refused(refused.Reason, refused.Detail),
            _ => throw new InvalidOperationException("A volume is either found or refused."),
        };

    private static string NameOf(SeriesPart stack) => stack.Name is null ? stack.Slices[0].SeriesUid : $"{stack.Slices[0].SeriesUid}, "
        + $"stack '{stack.Name}'";
}

using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Cases;

/// <summary>
/// The image series and the segmentation of a case folder, matched by referenced series or images and by frame of reference, from headers alone.
/// </summary>
internal abstract record CaseMatch
{
    private CaseMatch() { }

    public sealed record Found(ImageSeries Series, SegmentationHeader Segmentation) : CaseMatch;

    public sealed record Refused(QuarantineReason Reason, string Detail) : CaseMatch;

    public static CaseMatch In(DicomFolder folder, string directory, SeriesOptions? options)
    {
        if (folder.Problems is [var problem, ..])
        {
            return new Refused(problem.Reason, problem.Detail);
        }

        return (folder.Images.Count, folder.Segmentations.Count) switch
        {
            (0, 0) => new Refused(QuarantineReason.NoDicomFiles, $"{directory}: none of its {folder.OtherFiles} files is a DICOM image or segmentation. Put the case's DICOM files here."),
            (0, _) => new Refused(QuarantineReason.NoImageSeries, $"{directory}: a segmentation, but no image series. Put the images that it was drawn on here."),
            (_, 0) => new Refused(QuarantineReason.NoSegmentation, $"{directory}: images, but no DICOM segmentation. Put the reference segmentation here."),
            (_, 1) => Match(folder, folder.Segmentations[0], options),
            _ => new Refused(QuarantineReason.SeveralSegmentations, $"{directory}: {folder.Segmentations.Count} segmentations, so it is open which is the reference. Leave one: {Names(folder.Segmentations.Select(s => s.Path))}."),
        };
    }

    private static CaseMatch Match(DicomFolder folder, SegmentationHeader segmentation, SeriesOptions? options)
    {
        var candidates = folder.Images.Where(slices => Refers(segmentation, slices) && SharesFrame(segmentation, slices)).ToList();
        return candidates switch
        {
            [] => new Refused(QuarantineReason.SegmentationOfAnotherSeries, $"{segmentation.Path}: the segmentation refers to no image series of this case (0008,1115; 0020,0052). Put its own images here, or the segmentation of these images."),
            [var slices] => SeriesAssembly.Assemble(slices, options) switch
            {
                SeriesOutcome.Usable usable => new Found(usable.Series, segmentation),
                SeriesOutcome.Refused refused => new Refused(refused.Reason, refused.Detail),
                _ => throw new InvalidOperationException("A series is either usable or refused."),
            },
            _ => new Refused(QuarantineReason.SeveralImageSeries, $"{segmentation.Path}: {candidates.Count} image series fit the segmentation: {Names(candidates.Select(slices => slices[0].SeriesUid))}. Leave the one that it was drawn on."),
        };
    }

    /// <summary>
    /// The segmentation names the series, or one of its images. Where it names nothing at all, the frame of reference alone has to decide.
    /// </summary>
    private static bool Refers(SegmentationHeader segmentation, IReadOnlyList<SliceHeader> slices) =>
        segmentation.ReferencedSeriesUids.Count == 0 && segmentation.ReferencedInstanceUids.Count == 0
            ? segmentation.FrameOfReferenceUid is not null
            : segmentation.ReferencedSeriesUids.Contains(slices[0].SeriesUid)
                || slices.Any(slice => segmentation.ReferencedInstanceUids.Contains(slice.SopInstanceUid));

    private static bool SharesFrame(SegmentationHeader segmentation, IReadOnlyList<SliceHeader> slices) =>
        segmentation.FrameOfReferenceUid is null || slices.Any(slice => slice.FrameOfReferenceUid == segmentation.FrameOfReferenceUid);

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Take(4));
}

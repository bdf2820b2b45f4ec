using FedSeg.Dicom.DataSets;
using FedSeg.Imaging.Segments;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Cases;

/// <summary>
/// The image series and the segmentation of a case folder, matched by referenced series or images and by frame of reference, from headers
/// alone.
/// </summary>
internal abstract record CaseMatch
{
    private CaseMatch() { }

    public sealed record Found(ImageSeries Series, SegmentationObject Segmentation) : CaseMatch
    {
        /// <summary>Whose case it is.</summary>
        /// <exception cref="InvalidOperationException">The images don't say it; no labelled case is made of such.</exception>
        public string PatientKey => Series.PatientKey ?? throw new InvalidOperationException($"Series {Series.SeriesUid} is nobody's.");
    }

    public sealed record Refused(QuarantineReason Reason, string Detail) : CaseMatch;

    public static CaseMatch In(DicomFolder folder, string directory, SeriesOptions? options)
    {
        if (folder.Problems is [var problem, ..])
        {
            return new Refused(problem.Reason, problem.Detail);
        }

        IReadOnlyList<SegmentationObject> references = [.. folder.Segmentations.Where(drawn => drawn is not SegmentationHeader { IsOwnPrediction: true })];
        return (folder.Images.Count, references.Count) switch
        {
            (0, 0) => new Refused(QuarantineReason.NoDicomFiles, $"{directory}: none of its {folder.Others.Count} files is a DICOM image "
                + "or segmentation. Put the case's DICOM files here."),
            (0, _) => new Refused(QuarantineReason.NoImageSeries, $"{directory}: a segmentation, but no image series. Put the images "
                + "that it was drawn on here."),
            (_, 0) when folder.Segmentations.Count > 0 => new Refused(QuarantineReason.NoSegmentation, $"{directory}: no segmentation but "
                + "what a model of ours predicted, which is nothing to learn from. Put the reference segmentation here."),
            (_, 0) => new Refused(QuarantineReason.NoSegmentation, $"{directory}: images, but no DICOM segmentation or structure set. "
                + "Put the reference segmentation here."),
            (_, 1) => CaseOf(references[0], folder, options),
            _ => new Refused(QuarantineReason.SeveralSegmentations, $"{directory}: {references.Count} segmentations, so it is "
                + $"open which is the reference. Leave one: {Names(references.Select(s => s.Path))}."),
        };
    }

    /// <summary>
    /// The volume that a segmentation was drawn on, as a case to learn from: it must say whose it is. Who is held back, who withdrew and
    /// what privacy costs go by patient, and a guess is wrong either way: by study one person would be several, by nothing all would be
    /// one.
    /// </summary>
    public static CaseMatch CaseOf(SegmentationObject segmentation, DicomFolder folder, SeriesOptions? options) =>
        SeriesOf(segmentation, folder, options) switch
        {
            Found { Series: { PatientKey: null } series } => new Refused(QuarantineReason.NoPatientId, $"{series.Slices[0].Path}: the "
                + $"images of series {series.SeriesUid} have no {Tags.PatientId}, so it is open whose they are. Export them with their "
                + "PatientID, or with a pseudonym that is the same in all studies of the patient."),
            var match => match,
        };

    /// <summary>The one volume of the folder that a segmentation was drawn on.</summary>
    public static CaseMatch SeriesOf(SegmentationObject segmentation, DicomFolder folder, SeriesOptions? options)
    {
        var candidates = folder.Images.Where(segmentation.RefersTo).ToList();
        return candidates switch
        {
            [] => new Refused(QuarantineReason.SegmentationOfAnotherSeries, $"{segmentation.Path}: the segmentation refers to no image "
                + "series here (referenced series and frame of reference). Put its own images here, or the segmentation of these images."),
            [var slices] => StackOf(segmentation, SeriesAssembly.AssembleStacks(slices, options)),
            _ => new Refused(QuarantineReason.SeveralImageSeries, $"{segmentation.Path}: {candidates.Count} image series fit the "
                + $"segmentation: {Names(candidates.Select(slices => slices[0].SeriesUid))}. Leave the one that it was drawn on."),
        };
    }

    /// <summary>Of several stacks, the only one that holds an image which the segmentation names.</summary>
    private static CaseMatch StackOf(SegmentationObject segmentation, AssembledSeries series)
    {
        var stacks = series.Stacks.Count == 1
            ? series.Stacks
            : [.. series.Stacks.Where(
                stack => stack.Slices.Any(slice => segmentation.ReferencedInstanceUids.Contains(slice.SopInstanceUid)))];
        return stacks switch
        {
            [{ Outcome: SeriesOutcome.Usable { Series: var usable } }] => new Found(usable, segmentation),
            [{ Outcome: SeriesOutcome.Refused refused }] => new Refused(refused.Reason, refused.Detail),
            _ => new Refused(QuarantineReason.SeveralStacks, $"{segmentation.Path}: series {series.SeriesUid} holds several volumes "
                + $"({Names(series.Stacks.Select(stack => stack.Name ?? ""))}), and the segmentation does not name the images of just "
                + "one. Export that one as a series of its own."),
        };
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Take(4));
}

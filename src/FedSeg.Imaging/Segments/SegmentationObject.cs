using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Contours;
using FedSeg.Imaging.Series;

namespace FedSeg.Imaging.Segments;

/// <summary>
/// An object that labels an image, as its header describes it: a DICOM segmentation (<see cref="SegmentationHeader"/>) or a structure set
/// (<see cref="StructureSetHeader"/>). No others exist.
/// </summary>
public abstract record SegmentationObject
{
    private protected SegmentationObject() { }

    public required string Path { get; init; }

    public required string SopInstanceUid { get; init; }

    public required string StudyUid { get; init; }

    public required string SeriesUid { get; init; }

    /// <summary>The frames of reference that it is drawn in; empty where it names none.</summary>
    public required IReadOnlySet<string> FrameOfReferenceUids { get; init; }

    /// <summary>The image series that it names.</summary>
    public required IReadOnlySet<string> ReferencedSeriesUids { get; init; }

    /// <summary>The images that it names.</summary>
    public required IReadOnlySet<string> ReferencedInstanceUids { get; init; }

    /// <summary>What it labels, in the order of the numbers in the file, without a label map's background.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>Reads the header of a segmentation or structure set; <see langword="null"/> for any other object.</summary>
    /// <exception cref="DicomException">An element that such an object must have is absent or impossible.</exception>
    public static SegmentationObject? In(DicomFile file)
    {
        var sopClass = file.DataSet.Text(Tags.SopClassUid);
        return SegmentationHeader.IsSegmentation(sopClass) ? SegmentationHeader.Of(file)
            : StructureSetHeader.IsStructureSet(sopClass) ? StructureSetHeader.Of(file)
            : null;
    }

    /// <summary>
    /// It names the series, or one of its images, and lies in the same frame of reference. Where it names nothing at all, the frame of
    /// reference alone has to decide.
    /// </summary>
    public bool RefersTo(IReadOnlyList<SliceHeader> slices) => Names(slices) && slices.Any(slice => SharesFrame(slice.FrameOfReferenceUid));

    /// <summary>It is drawn in this frame of reference, as far as both say.</summary>
    public bool SharesFrame(string? frameOfReferenceUid) =>
        FrameOfReferenceUids.Count == 0 || (frameOfReferenceUid is not null && FrameOfReferenceUids.Contains(frameOfReferenceUid));

    private bool Names(IReadOnlyList<SliceHeader> slices) =>
        ReferencedSeriesUids.Count == 0 && ReferencedInstanceUids.Count == 0
            ? FrameOfReferenceUids.Count > 0
            : ReferencedSeriesUids.Contains(slices[0].SeriesUid)
            || slices.Any(slice => ReferencedInstanceUids.Contains(slice.SopInstanceUid));
}

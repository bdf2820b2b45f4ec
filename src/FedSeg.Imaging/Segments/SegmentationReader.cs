using FedSeg.Dicom;
using FedSeg.Imaging.Cases;
using FedSeg.Imaging.Contours;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>What became of a segmentation that was laid onto an image's grid.</summary>
public abstract record SegmentationOutcome
{
    private SegmentationOutcome() { }

    public sealed record Mapped(LabelVolume Labels) : SegmentationOutcome;

    /// <param name="Detail">What is wrong, where and what to do; for the site's own eyes.</param>
    public sealed record Refused(QuarantineReason Reason, string Detail) : SegmentationOutcome;
}

/// <summary>
/// Lays a DICOM segmentation or a structure set onto the grid of its image by geometry alone. What does not fall on the image's own voxels
/// or planes, or was drawn in another frame of reference, is refused, never resampled.
/// </summary>
public static class SegmentationReader
{
    /// <param name="grid">The image's grid.</param>
    /// <param name="frameOfReferenceUid">The image's frame of reference; <see langword="null"/> where it names none.</param>
    /// <param name="vocabulary">The labels to read; others are left out. Each that is drawn at the site must be there.</param>
    /// <exception cref="DicomException">The file can't be read or decoded.</exception>
    public static SegmentationOutcome Read(
        SegmentationObject segmentation,
        GridGeometry grid,
        string? frameOfReferenceUid,
        LabelVocabulary vocabulary,
        SegmentationOptions? options = null,
        DicomLimits? limits = null)
    {
        options ??= SegmentationOptions.Default;
        if (!segmentation.SharesFrame(frameOfReferenceUid))
        {
            return segmentation.Refuse(QuarantineReason.SegmentationOfAnotherSeries, "lies in another frame of reference (0020,0052) "
                + "than the image; use the segmentation that was drawn on it");
        }

        var present = segmentation.Labels.Select(vocabulary.ClassOf).ToHashSet();
        for (var label = 1; label <= vocabulary.Labels.Count; label++)
        {
            if (vocabulary.Labels[label - 1].Aliases.Count > 0 && !present.Contains(label))
            {
                return segmentation.Refuse(QuarantineReason.LabelMissing, "has no segment for the label "
                    + $"'{vocabulary.Labels[label - 1].Name}'; add it to the file or map its name in the site's settings");
            }
        }

        return segmentation switch
        {
            SegmentationHeader frames => SegmentFrameReader.Read(frames, grid, SegmentFrameReader.ClassesOf(frames, vocabulary), options, limits),
            StructureSetHeader contours => StructureSetReader.Read(contours, grid, frameOfReferenceUid, vocabulary, options, limits),
            _ => throw new InvalidOperationException("A segmentation is either made of frames or of contours."),
        };
    }

    /// <summary>Every segment under its own number, whatever it is called.</summary>
    /// <exception cref="DicomException">The file can't be read or decoded.</exception>
    public static SegmentationOutcome ReadByNumber(
        SegmentationHeader header, GridGeometry grid, SegmentationOptions? options = null, DicomLimits? limits = null)
    {
        var classes = new Dictionary<int, int>();
        foreach (var number in header.Segments.Select(segment => segment.Number))
        {
            if (number > byte.MaxValue)
            {
                return header.Refuse(QuarantineReason.UnsupportedSegmentation, $"has a segment {number}; at most {byte.MaxValue} are read");
            }

            // 0 is a label map's background.
            if (number > 0) classes[number] = number;
        }

        return SegmentFrameReader.Read(header, grid, classes, options ?? SegmentationOptions.Default, limits);
    }

    internal static SegmentationOutcome.Refused Refuse(this SegmentationObject segmentation, QuarantineReason reason, string problem) =>
        new(reason, $"{segmentation.Path}: the segmentation {problem}.");
}

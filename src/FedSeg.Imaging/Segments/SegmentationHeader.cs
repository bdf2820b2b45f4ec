using FedSeg.Dicom;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>How a segmentation stores its segments, PS3.3 §C.8.20.2.</summary>
public enum SegmentationKind
{
    /// <summary>One bit a voxel, one frame a segment and plane.</summary>
    Binary,

    /// <summary>A fraction a voxel, one frame a segment and plane.</summary>
    Fractional,

    /// <summary>The segment's number in each voxel, one frame a plane.</summary>
    LabelMap,
}

/// <summary>What the fractions of a fractional segmentation mean, PS3.3 §C.8.20.2.</summary>
public enum FractionalType
{
    /// <summary>How likely the voxel belongs to the segment.</summary>
    Probability,

    /// <summary>How much of the voxel's volume belongs to the segment.</summary>
    Occupancy,
}

/// <summary>A segment as the file names it.</summary>
public sealed record Segment(int Number, string Label);

/// <summary>Where one frame of a segmentation lies. Without a position or orientation the frame can't be placed.</summary>
/// <param name="SegmentNumber">The frame's segment; <see langword="null"/> in a label map.</param>
/// <param name="ColumnStepMm">Patient vector from one pixel to the next in a row, mm.</param>
/// <param name="RowStepMm">Patient vector from one row to the next, mm.</param>
public sealed record SegmentFrame(int? SegmentNumber, Vector3D? PositionMm, Vector3D? ColumnStepMm, Vector3D? RowStepMm);

/// <summary>What the header of a DICOM segmentation says, read without its pixels.</summary>
public sealed record SegmentationHeader : SegmentationObject
{
    internal const string SegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.4";
    internal const string LabelMapStorage = "1.2.840.10008.5.1.4.1.1.66.7";

    public required SegmentationKind Kind { get; init; }

    /// <summary>The segments in the order of their numbers.</summary>
    public required IReadOnlyList<Segment> Segments { get; init; }

    public override IReadOnlyList<string> Labels => [.. Segments.Where(segment => segment.Number > 0).Select(segment => segment.Label)];

    public required int Rows { get; init; }

    public required int Columns { get; init; }

    public required IReadOnlyList<SegmentFrame> Frames { get; init; }

    /// <summary>Of a fractional segmentation, what its fractions mean; <see langword="null"/> for the other kinds.</summary>
    public FractionalType? FractionalType { get; init; }

    /// <summary>Of a fractional segmentation, the value that stands for 1; from 1 to 255.</summary>
    public int MaximumFractionalValue { get; init; } = 1;

    /// <summary>
    /// A model of ours drew all of it. Such a file may come back from the PACS it was pushed to, and is never a reference to learn from.
    /// </summary>
    public required bool IsOwnPrediction { get; init; }

    /// <summary>The file is one part of several; alone it may lack labels.</summary>
    public required bool IsConcatenation { get; init; }

    /// <summary>The SOP class is a segmentation or a label map segmentation.</summary>
    public static bool IsSegmentation(string? sopClassUid) => sopClassUid is SegmentationStorage or LabelMapStorage;

    /// <exception cref="DicomException">An element that a segmentation must have is absent or impossible.</exception>
    public static SegmentationHeader Of(DicomFile file)
    {
        var set = file.DataSet;
        var kind = KindOf(file);
        var (series, instances) = References(set);
        return new SegmentationHeader
        {
            Path = file.Path,
            SopInstanceUid = set.RequiredText(Tags.SopInstanceUid),
            StudyUid = set.RequiredText(Tags.StudyInstanceUid),
            SeriesUid = set.RequiredText(Tags.SeriesInstanceUid),
            FrameOfReferenceUids = set.Texts(Tags.FrameOfReferenceUid).Where(uid => uid.Length > 0).ToHashSet(StringComparer.Ordinal),
            ReferencedSeriesUids = series,
            ReferencedInstanceUids = instances,
            Rows = set.RequiredWholeNumber(Tags.Rows),
            Columns = set.RequiredWholeNumber(Tags.Columns),
            IsConcatenation = set.Find(Tags.ConcatenationUid) is not null,
            IsOwnPrediction = IsOwn(set),
            Kind = kind,
            Segments = [.. set.Items(Tags.SegmentSequence)
                .Select(item => new Segment(item.RequiredWholeNumber(Tags.SegmentNumber), item.Text(Tags.SegmentLabel) ?? ""))
                .OrderBy(segment => segment.Number)],
            Frames = FrameAttributes.AreGroupedIn(set) ? [.. FrameAttributes.Of(set).Select(frame => FrameOf(frame, kind))] : [],
            FractionalType = kind == SegmentationKind.Fractional ? FractionalTypeOf(file) : null,
            MaximumFractionalValue = kind == SegmentationKind.Fractional ? MaximumOf(file) : 1,
        };
    }

    private static bool IsOwn(DataSet set) =>
        set.Text(Tags.Manufacturer) == SegmentationDescription.Manufacturer
        && set.Items(Tags.SegmentSequence).All(item => item.Text(Tags.SegmentAlgorithmType) == "AUTOMATIC");

    private static SegmentationKind KindOf(DicomFile file) => file.DataSet.Text(Tags.SegmentationType) switch
    {
        "BINARY" => SegmentationKind.Binary,
        "FRACTIONAL" => SegmentationKind.Fractional,
        "LABELMAP" => SegmentationKind.LabelMap,
        null when file.DataSet.Text(Tags.SopClassUid) == LabelMapStorage => SegmentationKind.LabelMap,
        _ => throw new DicomException(DicomFault.Malformed, $"{file.Path}: {Tags.SegmentationType} is none of BINARY, FRACTIONAL, "
            + "LABELMAP. Export the segmentation again."),
    };

    private static FractionalType FractionalTypeOf(DicomFile file) => file.DataSet.Text(Tags.SegmentationFractionalType) switch
    {
        "PROBABILITY" => Imaging.Segments.FractionalType.Probability,
        "OCCUPANCY" => Imaging.Segments.FractionalType.Occupancy,
        _ => throw new DicomException(DicomFault.Malformed, $"{file.Path}: {Tags.SegmentationFractionalType} is neither PROBABILITY nor "
            + "OCCUPANCY, so that it is open what the fractions mean. Export the segmentation again."),
    };

    private static int MaximumOf(DicomFile file)
    {
        var maximum = file.DataSet.RequiredWholeNumber(Tags.MaximumFractionalValue);
        return maximum is >= 1 and <= 255 ? maximum
            : throw new DicomException(DicomFault.Malformed, $"{file.Path}: {Tags.MaximumFractionalValue} is {maximum}; 1 to 255 are possible. "
                + "Export the segmentation again.");
    }

    private static SegmentFrame FrameOf(FrameAttributes frame, SegmentationKind kind)
    {
        var segment = kind == SegmentationKind.LabelMap
            ? null : frame.Group(Tags.SegmentIdentificationSequence)?.WholeNumber(Tags.ReferencedSegmentNumber);
        var position = frame.Group(Tags.PlanePositionSequence)?.Numbers(Tags.ImagePositionPatient);
        var orientation = frame.Group(Tags.PlaneOrientationSequence)?.Numbers(Tags.ImageOrientationPatient);
        var spacing = frame.Group(Tags.PixelMeasuresSequence)?.Numbers(Tags.PixelSpacing);
        var hasPlane = orientation is { Count: 6 } && spacing is { Count: 2 };
        return new SegmentFrame(
            segment,
            position is { Count: 3 } ? new Vector3D(position[0], position[1], position[2]) : null,
            hasPlane ? new Vector3D(orientation![0], orientation[1], orientation[2]) * spacing![1] : null,
            hasPlane ? new Vector3D(orientation![3], orientation[4], orientation[5]) * spacing![0] : null);
    }

    private static (HashSet<string> Series, HashSet<string> Instances) References(DataSet set)
    {
        var series = new HashSet<string>(StringComparer.Ordinal);
        var instances = new HashSet<string>(StringComparer.Ordinal);
        foreach (var reference in set.Items(Tags.ReferencedSeriesSequence))
        {
            AddText(series, reference, Tags.SeriesInstanceUid);
            foreach (var instance in reference.Items(Tags.ReferencedInstanceSequence))
            {
                AddText(instances, instance, Tags.ReferencedSopInstanceUid);
            }
        }

        var groups = set.Items(Tags.PerFrameFunctionalGroupsSequence).Concat(set.Items(Tags.SharedFunctionalGroupsSequence));
        foreach (var source in groups.SelectMany(item => item.Items(Tags.DerivationImageSequence))
            .SelectMany(item => item.Items(Tags.SourceImageSequence)))
        {
            AddText(instances, source, Tags.ReferencedSopInstanceUid);
        }

        return (series, instances);
    }

    private static void AddText(HashSet<string> uids, DataSet set, DicomTag tag)
    {
        if (set.Text(tag) is { } uid)
        {
            uids.Add(uid);
        }
    }
}

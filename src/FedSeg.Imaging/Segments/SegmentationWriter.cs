using System.Globalization;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>
/// Writes a binary DICOM segmentation (PS3.3 §A.51): one frame a segment and slice, empty ones left out, on exactly the grid of the source images, which it
/// references one by one. Patient and study are those of the source.
/// </summary>
public static class SegmentationWriter
{
    /// <summary>Writes the file, replacing one that is there.</summary>
    public static void Write(string path, ImageSeries source, LabelVolume labels, SegmentationDescription description) =>
        DicomWriter.Write(path, Build(source, labels, description));

    /// <param name="source">The images; their first file is opened for patient and study.</param>
    /// <param name="labels">Class 0 is background; the others are numbers of <see cref="SegmentationDescription.Segments"/>.</param>
    /// <exception cref="ArgumentException">The labels lie on another grid than the images, or hold a class without description.</exception>
    public static DataSetBuilder Build(ImageSeries source, LabelVolume labels, SegmentationDescription description)
    {
        if (labels.Grid != source.Grid)
        {
            throw new ArgumentException("The labels lie on another grid than the source images; resample them first.", nameof(labels));
        }

        if (labels.Labels.Any(label => label > description.Segments.Count))
        {
            throw new ArgumentException($"A voxel has a class above {description.Segments.Count}, the number of described segments.", nameof(labels));
        }

        var frames = FramesOf(labels, description.Segments.Count);
        var header = DicomFile.OpenHeader(source.Slices[0].Path).DataSet;
        var dimensions = DicomUid.FromName(description.UidSeed + "/dimensions");
        var set = new DataSetBuilder();
        AddPatientAndStudy(set, header);
        AddSeries(set, source, header, description);
        AddImage(set, source, frames);
        set.Bytes(Tags.PixelData, DicomVr.OB, Pack(labels, frames))
            .Sequence(Tags.DimensionOrganizationSequence, new DataSetBuilder().Text(Tags.DimensionOrganizationUid, dimensions))
            .Sequence(
                Tags.DimensionIndexSequence,
                Dimension(dimensions, Tags.ReferencedSegmentNumber, Tags.SegmentIdentificationSequence),
                Dimension(dimensions, Tags.ImagePositionPatient, Tags.PlanePositionSequence))
            .Sequence(Tags.SegmentSequence, description.Segments.Select((segment, index) => SegmentItem(segment, index + 1, description)))
            .Sequence(Tags.SharedFunctionalGroupsSequence, SharedGroups(source.Grid))
            .Sequence(Tags.PerFrameFunctionalGroupsSequence, frames.Select(frame => FrameGroups(frame, source)));
        return set;
    }

    private static List<(int Slice, int Segment)> FramesOf(LabelVolume labels, int segments)
    {
        var plane = labels.Grid.Size.Y * labels.Grid.Size.X;
        var frames = new List<(int Slice, int Segment)>();
        for (var segment = 1; segment <= segments; segment++)
        {
            for (var slice = 0; slice < labels.Grid.Size.Z; slice++)
            {
                if (labels.Labels.AsSpan(slice * plane, plane).Contains((byte)segment))
                {
                    frames.Add((slice, segment));
                }
            }
        }

        if (frames.Count == 0)
        {
            // An image must have a frame; an empty one says that nothing was found.
            frames.Add((0, 1));
        }

        return frames;
    }

    private static void AddPatientAndStudy(DataSetBuilder set, DataSet source) => set.CopyText(
        source,
        Tags.PatientName,
        Tags.PatientId,
        Tags.PatientBirthDate,
        Tags.PatientSex,
        Tags.StudyInstanceUid,
        Tags.StudyDate,
        Tags.StudyTime,
        Tags.StudyId,
        Tags.AccessionNumber,
        Tags.ReferringPhysicianName,
        Tags.FrameOfReferenceUid,
        Tags.PositionReferenceIndicator);

    private static void AddSeries(DataSetBuilder set, ImageSeries source, DataSet header, SegmentationDescription description)
    {
        var date = description.CreatedAt.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var time = description.CreatedAt.ToString("HHmmss", CultureInfo.InvariantCulture);
        if (header.Text(Tags.StudyDescription) is not null)
        {
            set.CopyText(header, Tags.StudyDescription);
        }

        set.Text(Tags.SopClassUid, SegmentationHeader.SegmentationStorage)
            .Text(Tags.SopInstanceUid, DicomUid.FromName(description.UidSeed + "/instance"))
            .Text(Tags.SeriesInstanceUid, DicomUid.FromName(description.UidSeed + "/series"))
            .Text(Tags.Modality, "SEG")
            .Text(Tags.SeriesNumber, "300")
            .Text(Tags.SeriesDescription, "Segmentation")
            .Text(Tags.SeriesDate, date)
            .Text(Tags.SeriesTime, time)
            .Text(Tags.ContentDate, date)
            .Text(Tags.ContentTime, time)
            .Text(Tags.InstanceNumber, "1")
            .Text(Tags.Manufacturer, "FedSeg")
            .Text(Tags.ManufacturerModelName, "FedSeg")
            .Text(Tags.DeviceSerialNumber, "1")
            .Text(Tags.SoftwareVersions, typeof(SegmentationWriter).Assembly.GetName().Version?.ToString(3) ?? "0")
            .Sequence(Tags.ReferencedSeriesSequence, new DataSetBuilder()
                .Text(Tags.SeriesInstanceUid, source.SeriesUid)
                .Sequence(Tags.ReferencedInstanceSequence, source.Slices.Select(ReferenceTo)));
    }

    private static void AddImage(DataSetBuilder set, ImageSeries source, List<(int Slice, int Segment)> frames) => set
        .Text(Tags.ImageType, "DERIVED", "PRIMARY")
        .Text(Tags.ContentLabel, "SEGMENTATION")
        .Text(Tags.ContentDescription, "Segmentation")
        .Text(Tags.ContentCreatorName)
        .Text(Tags.SegmentationType, "BINARY")
        .Text(Tags.SegmentsOverlap, "NO")
        .Text(Tags.BurnedInAnnotation, "NO")
        .Text(Tags.LossyImageCompression, "00")
        .Numbers(Tags.NumberOfFrames, frames.Count)
        .Numbers(Tags.Rows, source.Grid.Size.Y)
        .Numbers(Tags.Columns, source.Grid.Size.X)
        .Numbers(Tags.SamplesPerPixel, 1)
        .Text(Tags.PhotometricInterpretation, "MONOCHROME2")
        .Numbers(Tags.BitsAllocated, 1)
        .Numbers(Tags.BitsStored, 1)
        .Numbers(Tags.HighBit, 0)
        .Numbers(Tags.PixelRepresentation, 0);

    /// <summary>Bits run on across frames, lowest first.</summary>
    private static byte[] Pack(LabelVolume labels, List<(int Slice, int Segment)> frames)
    {
        var plane = labels.Grid.Size.Y * labels.Grid.Size.X;
        var packed = new byte[((long)plane * frames.Count + 7) / 8];
        long bit = 0;
        foreach (var (slice, segment) in frames)
        {
            foreach (var label in labels.Labels.AsSpan(slice * plane, plane))
            {
                if (label == segment)
                {
                    packed[bit >> 3] |= (byte)(1 << (int)(bit & 7));
                }

                bit++;
            }
        }

        return packed;
    }

    private static DataSetBuilder SegmentItem(SegmentDescription segment, int number, SegmentationDescription description)
    {
        var item = new DataSetBuilder()
            .Numbers(Tags.SegmentNumber, number)
            .Text(Tags.SegmentLabel, segment.Label)
            .Text(Tags.SegmentAlgorithmType, description.Algorithm.ToString().ToUpperInvariant())
            .Sequence(Tags.SegmentedPropertyCategoryCodeSequence, CodeItem(segment.Category))
            .Sequence(Tags.SegmentedPropertyTypeCodeSequence, CodeItem(segment.Type))
            .Numbers(Tags.RecommendedDisplayCieLabValue, [.. Colours[(number - 1) % Colours.Length]]);
        return description.Algorithm == SegmentAlgorithm.Manual ? item : item.Text(Tags.SegmentAlgorithmName, description.AlgorithmName);
    }

    private static DataSetBuilder SharedGroups(GridGeometry grid) => new DataSetBuilder()
        .Sequence(Tags.PixelMeasuresSequence, new DataSetBuilder()
            .Numbers(Tags.PixelSpacing, grid.SpacingMm.Y, grid.SpacingMm.X)
            .Numbers(Tags.SliceThickness, grid.SpacingMm.Z)
            .Numbers(Tags.SpacingBetweenSlices, grid.SpacingMm.Z))
        .Sequence(Tags.PlaneOrientationSequence, new DataSetBuilder()
            .Numbers(
                Tags.ImageOrientationPatient,
                grid.Directions.Column.X, grid.Directions.Column.Y, grid.Directions.Column.Z,
                grid.Directions.Row.X, grid.Directions.Row.Y, grid.Directions.Row.Z));

    private static DataSetBuilder FrameGroups((int Slice, int Segment) frame, ImageSeries source)
    {
        var slice = source.Slices[frame.Slice];
        return new DataSetBuilder()
            .Sequence(Tags.FrameContentSequence, new DataSetBuilder().Numbers(Tags.DimensionIndexValues, frame.Segment, frame.Slice + 1))
            .Sequence(Tags.PlanePositionSequence, new DataSetBuilder()
                .Numbers(Tags.ImagePositionPatient, slice.PositionMm.X, slice.PositionMm.Y, slice.PositionMm.Z))
            .Sequence(Tags.SegmentIdentificationSequence, new DataSetBuilder().Numbers(Tags.ReferencedSegmentNumber, frame.Segment))
            .Sequence(Tags.DerivationImageSequence, new DataSetBuilder()
                .Sequence(Tags.DerivationCodeSequence, CodeItem(new Code("113076", "DCM", "Segmentation")))
                .Sequence(Tags.SourceImageSequence, ReferenceTo(slice)
                    .Sequence(Tags.PurposeOfReferenceCodeSequence, CodeItem(new Code("121322", "DCM", "Source image for image processing operation")))
                    .Text(Tags.SpatialLocationsPreserved, "YES")));
    }

    private static DataSetBuilder ReferenceTo(SliceHeader slice) => new DataSetBuilder()
        .Text(Tags.ReferencedSopClassUid, slice.SopClassUid)
        .Text(Tags.ReferencedSopInstanceUid, slice.SopInstanceUid);

    private static DataSetBuilder Dimension(string organization, DicomTag index, DicomTag group) => new DataSetBuilder()
        .Text(Tags.DimensionOrganizationUid, organization)
        .TagValue(Tags.DimensionIndexPointer, index)
        .TagValue(Tags.FunctionalGroupPointer, group);

    private static DataSetBuilder CodeItem(Code code) => new DataSetBuilder()
        .Text(Tags.CodeValue, code.Value)
        .Text(Tags.CodingSchemeDesignator, code.Scheme)
        .Text(Tags.CodeMeaning, code.Meaning);

    /// <summary>CIELab as 16-bit numbers, PS3.3 §C.10.7.1.1: red, green, blue, yellow, magenta, cyan.</summary>
    private static readonly double[][] Colours =
    [
        [34885, 53485, 50171], [57496, 10794, 54237], [21168, 53250, 5167], [63664, 27356, 57158], [39523, 58128, 17255], [59727, 20538, 29220],
    ];
}

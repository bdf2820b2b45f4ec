using System.Globalization;
using FedSeg.Dicom.DataSets;
using FedSeg.Dicom.Reading;
using FedSeg.Dicom.Writing;
using FedSeg.Imaging.Series;
using FedSeg.Imaging.Volumes;

namespace FedSeg.Imaging.Segments;

/// <summary>
/// Writes a DICOM segmentation (PS3.3 §A.51), binary or as a label map (Sup 243), on exactly the grid of the source images, which it
/// references one by one. Empty frames are left out. Patient, study and frame of reference are those of the source.
/// </summary>
public static class SegmentationWriter
{
    /// <summary>Writes the file, replacing one that is there.</summary>
    public static void Write(string path, ImageSeries source, LabelVolume labels, SegmentationDescription description) =>
        DicomWriter.Write(path, Build(source, labels, description));

    /// <param name="source">The images; their first file is opened for patient and study.</param>
    /// <param name="labels">Class 0 is background; the others are numbers of <see cref="SegmentationDescription.Segments"/>.</param>
    /// <exception cref="ArgumentException">
    /// The labels lie on another grid than the images, or hold a class without description; the images were resampled, or name no frame of
    /// reference.
    /// </exception>
    public static DataSetBuilder Build(ImageSeries source, LabelVolume labels, SegmentationDescription description)
    {
        if (labels.Grid != source.Grid)
        {
            throw new ArgumentException("The labels lie on another grid than the source images; resample them first.", nameof(labels));
        }

        if (labels.Labels.Any(label => label > description.Segments.Count))
        {
            throw new ArgumentException($"A voxel has a class above {description.Segments.Count}, the number of described "
                + "segments.", nameof(labels));
        }

        if (source.Shear is not null)
        {
            throw new ArgumentException("The source images were straightened from a tilted stack; a segmentation has to lie on the "
                + "images' own voxels.", nameof(source));
        }

        if (source.FrameOfReferenceUid is null)
        {
            throw new ArgumentException($"The source images name no frame of reference {Tags.FrameOfReferenceUid}, so that nothing could "
                + "be placed on them.", nameof(source));
        }

        var isLabelMap = description.Kind == SegmentationKind.LabelMap;
        var pixels = description.Kind switch
        {
            SegmentationKind.Binary => SegmentPixels.Binary(labels, description.Segments.Count),
            SegmentationKind.LabelMap => SegmentPixels.LabelMap(labels),
            _ => throw new ArgumentException(
                $"A {description.Kind} segmentation is not written; choose binary or label map.", nameof(description)),
        };
        var header = DicomFile.OpenHeader(source.Slices[0].Path).DataSet;
        var dimensions = DicomUid.FromName(description.UidSeed + "/dimensions");
        var set = new DataSetBuilder();
        AddPatientAndStudy(set, header);
        AddSeries(set, source, header, description);
        AddImage(set, source, pixels, description.Kind);
        var position = Dimension(dimensions, Tags.ImagePositionPatient, Tags.PlanePositionSequence);
        set.Sequence(Tags.DimensionOrganizationSequence, new DataSetBuilder().Text(Tags.DimensionOrganizationUid, dimensions))
            .Sequence(Tags.DimensionIndexSequence, isLabelMap
                ? [position]
                : [Dimension(dimensions, Tags.ReferencedSegmentNumber, Tags.SegmentIdentificationSequence), position])
            .Sequence(Tags.SegmentSequence, SegmentItems.Of(description))
            .Sequence(Tags.SharedFunctionalGroupsSequence, SharedGroups(source.Grid))
            .Sequence(Tags.PerFrameFunctionalGroupsSequence,
                pixels.Frames.Select(frame => FrameGroups(frame.Plane, frame.Segment, source)));
        return set;
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

        var isLabelMap = description.Kind == SegmentationKind.LabelMap;
        set.Text(Tags.SopClassUid, isLabelMap ? SegmentationHeader.LabelMapStorage : SegmentationHeader.SegmentationStorage)
            .Text(Tags.SopInstanceUid, DicomUid.FromName(description.UidSeed + "/instance"))
            .Text(Tags.SeriesInstanceUid, DicomUid.FromName(description.UidSeed + "/series"))
            .Text(Tags.Modality, "SEG")
            .Text(Tags.SeriesNumber, "300")
            .Text(Tags.SeriesDescription, description.SeriesDescription)
            .Text(Tags.SeriesDate, date)
            .Text(Tags.SeriesTime, time)
            .Text(Tags.ContentDate, date)
            .Text(Tags.ContentTime, time)
            .Text(Tags.InstanceNumber, "1")
            .Text(Tags.Manufacturer, SegmentationDescription.Manufacturer)
            .Text(Tags.ManufacturerModelName, "FedSeg")
            .Text(Tags.DeviceSerialNumber, "1")
            .Text(Tags.SoftwareVersions, SegmentationDescription.ProductVersion)
            .Sequence(Tags.ReferencedSeriesSequence, new DataSetBuilder()
                .Text(Tags.SeriesInstanceUid, source.SeriesUid)
                .Sequence(Tags.ReferencedInstanceSequence,
                    source.Slices.DistinctBy(slice => slice.SopInstanceUid).Select(InstanceReference)));
    }

    private static void AddImage(DataSetBuilder set, ImageSeries source, SegmentPixels pixels, SegmentationKind kind)
    {
        set.Text(Tags.ImageType, "DERIVED", "PRIMARY")
            .Text(Tags.ContentLabel, "SEGMENTATION")
            .Text(Tags.ContentDescription, "Segmentation")
            .Text(Tags.ContentCreatorName)
            .Text(Tags.SegmentationType, kind == SegmentationKind.LabelMap ? "LABELMAP" : "BINARY")
            .Text(Tags.SegmentsOverlap, "NO")
            .Text(Tags.BurnedInAnnotation, "NO")
            .Text(Tags.LossyImageCompression, "00")
            .Numbers(Tags.NumberOfFrames, pixels.Frames.Count)
            .Numbers(Tags.Rows, source.Grid.Size.Y)
            .Numbers(Tags.Columns, source.Grid.Size.X)
            .Numbers(Tags.SamplesPerPixel, 1)
            .Text(Tags.PhotometricInterpretation, "MONOCHROME2")
            .Numbers(Tags.BitsAllocated, pixels.Bits)
            .Numbers(Tags.BitsStored, pixels.Bits)
            .Numbers(Tags.HighBit, pixels.Bits - 1)
            .Numbers(Tags.PixelRepresentation, 0)
            .Bytes(Tags.PixelData, DicomVr.OB, pixels.Data);
        if (kind == SegmentationKind.LabelMap)
        {
            set.Numbers(Tags.PixelPaddingValue, 0);
        }
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

    private static DataSetBuilder FrameGroups(int plane, int? segment, ImageSeries source)
    {
        // A filled gap has no image of its own: its frame lies on the grid and is derived from none.
        var slice = source.SliceAt(plane);
        var position = slice?.PositionMm ?? source.Grid.PositionMm(plane, 0, 0);
        var groups = new DataSetBuilder()
            .Sequence(Tags.FrameContentSequence,
                new DataSetBuilder().Numbers(Tags.DimensionIndexValues, segment is { } number ? [number, plane + 1] : [plane + 1]))
            .Sequence(Tags.PlanePositionSequence,
                new DataSetBuilder().Numbers(Tags.ImagePositionPatient, position.X, position.Y, position.Z));
        if (segment is { } referenced)
        {
            groups.Sequence(Tags.SegmentIdentificationSequence, new DataSetBuilder().Numbers(Tags.ReferencedSegmentNumber, referenced));
        }

        return slice is null ? groups : groups.Sequence(Tags.DerivationImageSequence, new DataSetBuilder()
            .Sequence(Tags.DerivationCodeSequence, SegmentItems.CodeItem(new Code("113076", "DCM", "Segmentation")))
            .Sequence(Tags.SourceImageSequence, FrameReference(slice)
                .Sequence(Tags.PurposeOfReferenceCodeSequence, SegmentItems.CodeItem(new Code("121322", "DCM", "Source image for image "
                    + "processing operation")))
                .Text(Tags.SpatialLocationsPreserved, "YES")));
    }

    private static DataSetBuilder InstanceReference(SliceHeader slice) => new DataSetBuilder()
        .Text(Tags.ReferencedSopClassUid, slice.SopClassUid)
        .Text(Tags.ReferencedSopInstanceUid, slice.SopInstanceUid);

    private static DataSetBuilder FrameReference(SliceHeader slice) =>
        slice.IsMultiFrame ? InstanceReference(slice).Numbers(Tags.ReferencedFrameNumber, slice.Frame + 1) : InstanceReference(slice);

    private static DataSetBuilder Dimension(string organization, DicomTag index, DicomTag group) => new DataSetBuilder()
        .Text(Tags.DimensionOrganizationUid, organization)
        .TagValue(Tags.DimensionIndexPointer, index)
        .TagValue(Tags.FunctionalGroupPointer, group);
}
